"""Power words: which words and commands give something away, by kind; a table of patterns; pure.

Patterns are tried on small letters, near the words that each of their matches holds.
"""

# ruff: noqa: E501, S105 (a table of patterns, each whole on its line)

import re
from dataclasses import dataclass

RUNS, CHECKS, SECRETS, SENDS, OPENS, REVIEW, PRETENDS, TRACES, PERSISTS, DESTROYS, SOURCES = (
    "runs-a-download",
    "turns-checks-off",
    "gives-secrets-away",
    "sends-data-out",
    "opens-permissions",
    "skips-review",
    "pretends-success",
    "removes-traces",
    "stays-behind",
    "destroys",
    "trusts-a-new-source",
)
"""The kinds, as marks tell them."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One way to give a kind of power away."""

    kind: str
    anchors: tuple[str, ...]
    """Words of which each match holds one."""
    pattern: re.Pattern[str]
    beside: tuple[str, ...] = ()
    """Words of which each match holds one besides, near the anchor; none: the anchor is rare enough."""
    back: int = 240
    ahead: int = 360
    """How far a match may reach before an anchor and behind it."""
    asked: bool = False
    """Whether it counts only where its verb asks: `skip checks`, and not `it skips checks`."""


def _rule(
    kind: str,
    anchors: str,
    pattern: str,
    beside: str = "",
    *,
    reach: tuple[int, int] = (240, 360),
    asked: bool = False,
) -> Rule:
    return Rule(
        kind,
        tuple(anchors.split(",")),
        re.compile(pattern),
        tuple(beside.split(",")) if beside else (),
        *reach,
        asked,
    )


_SHELL = r"(?:[\w./]{0,20}/)?(?:(?:ba|z|da|k|fi|a)?sh|python[\d.]*|node|perl|ruby|php|pwsh|powershell|iex|deno run -|bun run -|osascript|\$shell|\$\{shell\})"
_GETS = r"(?:curl|wget|fetch|aria2c|httpie|https?|lwp-request|iwr|irm|invoke-webrequest|invoke-restmethod|downloadstring|urlopen|urlretrieve|requests\.get|busybox wget)"
_NOT_OURS = r"(?!(?:https?://)?(?:localhost|127\.|0\.0\.0\.0|\[::1\]|\$\{?\w*(?:local|host)))"
_HOST = rf"{_NOT_OURS}(?:https?://|ftp://|s3://|gs://|\w[\w.-]{{1,80}}@[\w.-]+:|[\w-]+(?:\.[\w-]+)+[:/])"

# Words of prose, by the language that they are of.
_OFF = (
    r"skip(?:s|ped|ping)?|bypass\w*|disabl\w+|deactivat\w+|turn(?:s|ed|ing)? (?:\w+ ){0,4}off|turn(?:s|ed|ing)? off|switch(?:es|ed|ing)? (?:\w+ ){0,4}off"
    r"|switch(?:es|ed|ing)? off|suppress\w*|circumvent\w*|ignor(?:e|es|ing)|omit\w*|forgo\w*|sidestep\w*|short-?circuit\w*|relax(?:es|ing)?"
    r"|neutrali[sz]\w+|stub(?:s|bed|bing)? out|comment(?:s|ed|ing)? out|monkey-?patch\w*|overrid\w+|silenc\w+|evad\w+|waiv\w+|work(?:s|ed|ing)? around"
    r"|avoids?|don't bother with|no need (?:to|for)|forc\w+ \w+ past"
    r"|\u00fcberspring\w*|umgeh\w*|deaktivier\w*|abschalt\w*|ausschalt\w*|schalt\w* (?:\w+ ){0,5}(?:aus|ab)"
    r"|d\u00e9sactiv\w*|contourn\w*|ignor(?:er|ez)|saut(?:er|ez)|omit(?:ir|a|e)|desactiv\w*|deshabilit\w*|salt(?:ar|a|e|ate|arse)\b|evit(?:ar|a)\b"
    r"|desativ\w*|desabilit\w*|pul(?:ar|e)\b|ignorar|disattiv\w*|disabilit\w*|salta(?:re)?\b|aggir\w*|evita(?:re)?\b"
    r"|\u043e\u0442\u043a\u043b\u044e\u0447\w*|\u043f\u0440\u043e\u043f\u0443\u0441\w*|\u043e\u0431\u043e\u0439\w*|\u043e\u0431\u0445\u043e\u0434\w*|\u0438\u0433\u043d\u043e\u0440\u0438\u0440\w*"
    r"|wy\u0142\u0105cz\w*|pomi\u0144\w*|devre d\u0131\u015f\u0131|uitschakel\w*|overslaan"
)
_CHECK = (
    r"(?:re)?validat\w*|verif(?:y|ie|ic)\w*|signature(?:s)? (?:check|verif|valid)\w*|signature checking|certificate (?:check|verif|valid)\w*"
    r"|(?:safety|security|quality|schema|integrity|policy|type|signature|compliance|license|dq|tls|ssl) (?:checks?|gates?|controls?|scans?|rules?|warnings?)"
    r"|strict (?:\w+ )?checks?|guard-?rails?|review gates?|code review|peer review|approvals?|audits?|consent\w*|sanitiz\w+|authentication|authorization"
    r"|access controls?|pre-?commit(?: hooks?)?|firewall|sandbox\w*|antivirus|defender|selinux|(?<!avoid )rate limit\w*|two-factor|mfa|2fa|(?<!avoid )warnings"
    r"|pr\u00fcfung\w*|validierung\w*|\u00fcberpr\u00fcfung\w*|signaturpr\u00fcfung\w*|freigabe\w*|sicherheits\w+|zertifikats?\w*"
    r"|v\u00e9rification\w*|validation\w*|contr\u00f4les?|s\u00e9curit\u00e9|revue de code|certificat\w*|firma\b|firmas\b|verificaci\w*|validaci\w*|revisi\w+|seguridad|comprobaci\w*|certificado\w*"
    r"|verifica\w*|valida\w+|revis\w+|seguran\u00e7a|convalid\w*|controll[oi]\b|sicurezza|revisione"
    r"|\u043f\u0440\u043e\u0432\u0435\u0440\w*|\u0432\u0430\u043b\u0438\u0434\u0430\w*|\u043f\u043e\u0434\u043f\u0438\u0441\w*|\u0431\u0435\u0437\u043e\u043f\u0430\u0441\w*|\u0440\u0435\u0432\u044c\u044e|\u0441\u0435\u0440\u0442\u0438\u0444\w*"
    r"|weryfik\w*|walidacj\w*|bezpiecze\w*|do\u011frulama|controle\w*|verificatie"
)
_OFF_ABROAD = (
    "\u092c\u0902\u0926|\u091b\u094b\u0921\u093c|\u0905\u0915\u094d\u0937\u092e|\u0928\u093f\u0937\u094d\u0915\u094d\u0930\u093f\u092f|\u0905\u0928\u0926\u0947\u0916"
    "|\u062a\u0639\u0637\u064a\u0644|\u0639\u0637\u0644|\u062a\u062e\u0637\u064a|\u062a\u062c\u0627\u0648\u0632|\u062a\u062c\u0627\u0647\u0644|\u0625\u064a\u0642\u0627\u0641"
    "|\u05d4\u05e9\u05d1\u05ea|\u05d3\u05dc\u05d2|\u05e2\u05e7\u05d5\u05e3|\u05d4\u05ea\u05e2\u05dc\u05dd"
    "|devre d\u0131\u015f\u0131|atlay\u0131n|b\u1ecf qua|v\u00f4 hi\u1ec7u h\u00f3a|t\u1eaft|nonaktifkan|matikan|lewati|abaikan"
    "|\u0432\u0438\u043c\u043a\u043d|\u043f\u0440\u043e\u043f\u0443\u0441\u0442\u0456\u0442\u044c|\u043e\u0431\u0456\u0439\u0434"
)
_CHECK_ABROAD = (
    "\u091c\u093e\u0901\u091a|\u091c\u093e\u0902\u091a|\u0938\u0924\u094d\u092f\u093e\u092a\u0928|\u0939\u0938\u094d\u0924\u093e\u0915\u094d\u0937\u0930|\u0938\u0941\u0930\u0915\u094d\u0937\u093e|\u0938\u092e\u0940\u0915\u094d\u0937\u093e"
    "|\u062a\u062d\u0642\u0642|\u062a\u0648\u0642\u064a\u0639|\u0627\u0644\u0623\u0645\u0627\u0646|\u0645\u0631\u0627\u062c\u0639\u0629|\u0627\u0644\u0641\u062d\u0635"
    "|\u05d0\u05d9\u05de\u05d5\u05ea|\u05d7\u05ea\u05d9\u05de|\u05d0\u05d1\u05d8\u05d7|\u05d1\u05d3\u05d9\u05e7"
    "|do\u011frulama|imza|g\u00fcvenlik|denetim|x\u00e1c minh|ki\u1ec3m tra|ch\u1eef k\u00fd|b\u1ea3o m\u1eadt|verifikasi|validasi|pemeriksaan|tanda tangan|keamanan"
    "|\u043f\u0435\u0440\u0435\u0432\u0456\u0440\u043a|\u043f\u0456\u0434\u043f\u0438\u0441|\u0431\u0435\u0437\u043f\u0435\u043a"
)
"""Hindi, Arabic, Hebrew, Turkish, Vietnamese, Indonesian and Ukrainian; each in whichever order."""
ASKS = r"(?:^|[\n.,:;!?>*\-\d)\u2022\"'`]\s{0,3}(?:then |just |simply |always |first,? |please |you (?:should|must|can) |we (?:should|must|can) |to \w+(?: \w+){0,5}, ?)?|\b(?:should|must|always|just|simply|can|please|need to|have to|by|then|and|to|instead|will|faster) )"
"""What stands before a verb that asks, and not before one that tells what code does."""
_SECRET = (
    r"(?:\.env\b(?!\.example)|\.ssh/|id_rsa|id_ed25519|\.aws/credentials|\.netrc|\.npmrc|\.pypirc|\.kube/config|\.git-credentials|\.docker/config"
    r"|/etc/shadow|/etc/passwd|api[_ -]?keys?|passwords?|credentials?|secrets?|(?:access|auth|session|bearer|github|api|oauth|refresh) tokens?|private keys?|ssh keys?|seed phrase|environment variables|env vars|printenv"
    r"|passw[o\u00f6]rt\w*|kennw[o\u00f6]rt\w*|zugangsdaten|mots? de passe|identifiants|contrase\u00f1as?|credenciales|senhas?|credenciais|chiavi?|\u043f\u0430\u0440\u043e\u043b\w*|\u043a\u043b\u044e\u0447\w*|\u0442\u043e\u043a\u0435\u043d\w*"
    r"|\u5bc6\u7801|\u5bc6\u94a5|\u4ee4\u724c|\u51ed\u8bc1|\u30d1\u30b9\u30ef\u30fc\u30c9|\u8cc7\u683c|\ube44\ubc00\ubc88\ud638)"
)
_SENDS_WORD = (
    r"(?:send|post|upload|exfiltrat|forward|e-?mail|transmit|publish|leak|share|push|pipe|paste|deliver|report|stream|ship|beacon"
    r"|schick|send(?:e|en)|\u00fcbermittl|hochlad|lad\w* .{0,30}hoch|envoy|transmet|t\u00e9l\u00e9vers|env\u00ed|sub[ei]r|mand(?:e|a)|carreg|invi[ao]|caric|\u043e\u0442\u043f\u0440\u0430\u0432|\u043f\u0435\u0440\u0435\u0434\u0430|\u0437\u0430\u0433\u0440\u0443\u0437)\w{0,4}"
)
_AWAY = r"(?:https?://|endpoint|external|webhook|remote|server|outside|partner|third[- ]party|attacker|address|url\b|bucket|gist|pastebin|collector|extern|externo|\u0441\u0435\u0440\u0432\u0435\u0440|@[\w-]+\.)"

RULES = (
    # A download that is run, and what is decoded to be run.
    _rule(
        RUNS,
        "| sh,|sh,| bash,|bash,| /,| sudo,|sudo,| python,|python,| node,| perl,| ruby,| php,| pwsh,| powershell,| iex,|iex,| zsh,| env,| dash,| fish,| ash,| deno,| bun,| osascript",
        rf"{_GETS}\b[^\n;]{{0,220}}\|\s*(?:sudo\s+(?:-\w+\s+)?)?(?:env\s+(?:\w+=\S*\s+)*)?{_SHELL}(?![\w./-])",
        "curl,wget,fetch,aria2c,httpie,http,lwp-request,iwr,irm,invoke-,downloadstring,urlopen,urlretrieve,requests.get",
        reach=(260, 60),
    ),
    _rule(
        RUNS,
        '| sh,| bash,|sh,|bash,| zsh,| sudo,| iex,|iex,| /bin,| $sh,|$sh,| ${sh,| $bash,| $0,| "$sh',
        r"\|\s{0,3}(?:sudo\s+)?(?:(?:[\w./]{0,20}/)?(?:(?:ba|z|da|k)?sh|iex|invoke-expression)|\"?\$\{?(?:shell|bash|0)\}?\"?)(?:\s+-(?:s|e|x|eu?x?)?)?(?:\s+--?\s?)?\s*(?=[\n;&)\"'`.,]|$|\|)",
        reach=(4, 40),
    ),
    _rule(
        RUNS,
        "curl ,wget ,iwr ,irm ,fetch ,invoke-,downloadstring,urlopen,requests.get",
        rf"(?:(?:ba|z|da)?sh|python[\d.]*|node|source|eval|exec|iex|perl|ruby|\s\.)\s*(?:-\w+\s*)?[<(\"'`$][<(\"'`$ ]{{0,5}}{_GETS}\b",
        "sh ,sh<,sh(,python,node,source,eval,exec,iex,perl,ruby, . ",
        reach=(60, 30),
    ),
    _rule(
        RUNS,
        "curl ,wget ,iwr ,aria2c,download",
        rf"(?:{_GETS}|download\w*)\b[^\n]{{0,200}}(?:&&|;|\n|\|\||, (?:then|and))[^\n]{{0,60}}(?:chmod\s+(?:\+|[0-7]*[157])\S*|(?:ba|z)?sh\s|source\s|(?:^|[\s;&`])\./\w|python[\d.]*\s|msiexec|start-process|dpkg -i|sudo installer)",
        "chmod,sh ,source, ./,`./,python,msiexec,start-process,dpkg,installer,;./,\n./",
        reach=(4, 330),
    ),
    _rule(
        RUNS,
        "base64,b64decode,atob,frombase64,xxd,openssl enc,rot13,tr 'a-z",
        r"(?:base64\s+(?:-d|--decode|-di)|xxd\s+-r|openssl\s+(?:enc|base64)\s[^\n|]{0,40}-d|tr\s+'a-z)[^\n;]{0,120}\|\s*(?:sudo\s+)?(?:\w*sh|python|perl|node|eval|source|xargs)\b|(?:eval|exec|iex)\s*[(\"'$` ]{1,5}[^\n]{0,60}(?:base64|b64decode|atob|frombase64string|rot13)|(?:b64decode|atob|frombase64string)\([^\n]{0,200}\)\)?[^\n]{0,30}(?:exec|eval|invoke)",
    ),
    _rule(
        RUNS,
        "download,fetch,retriev,pull,grab,curl,obtain,install,herunterlad,lad,t\u00e9l\u00e9charg,r\u00e9cup\u00e8r,descarg,baix,scaric,\u0441\u043a\u0430\u0447\u0430,\u0437\u0430\u0433\u0440\u0443\u0437,get a,get the,load a,load the",
        r"\b(?:fetch|download|retriev|pull|grab|get|curl|load|obtain|install|herunterlad|lad|t\u00e9l\u00e9charg|r\u00e9cup\u00e8r|descarg|baix|scaric|\u0441\u043a\u0430\u0447\u0430|\u0437\u0430\u0433\u0440\u0443\u0437)\w*\b[^.\n;]{0,70}\b(?:and|then|&|to|und|et|y|e|\u0438)\b[^.\n;]{0,24}\b(?:execut|run|eval|sourc|launch|invok|ausf\u00fchr|f\u00fchr|ex\u00e9cut|lance|ejecut|execut|esegu|\u0437\u0430\u043f\u0443\u0441|\u0432\u044b\u043f\u043e\u043b\u043d)\w*[^.\n;]{0,50}(?:script|helper|installer|binary|payload|remote|https?://|skript|skripte|\u0441\u043a\u0440\u0438\u043f\u0442|url)",
        "script,helper,installer,binary,payload,remote,://,skript,\u0441\u043a\u0440\u0438\u043f\u0442,url",
        reach=(24, 200),
    ),
    _rule(
        RUNS,
        "execut,run ,runs ,running ,launch,invok,eval,sourc",
        r"\b(?:execut|run|eval|sourc|launch|invok|exec)\w*\b[^.\n;]{0,40}\b(?:remote|external|downloaded|hosted|third-party)\b[^.\n;]{0,30}(?:script|helper|installer|binary|payload|code|snippet|sanitizer|tool)\b|\b(?:run|execute|source|eval)\w*\b[^.\n;]{0,50}\b(?:script|helper|installer|payload|code)\b[^.\n;]{0,20}\b(?:from|at)\b[^.\n;]{0,12}https?://",
        "remote,external,downloaded,hosted,third-party,http",
        reach=(10, 170),
    ),
    _rule(
        RUNS,
        "\u4e0b\u8f7d,\u4e0b\u8f09,\u30c0\u30a6\u30f3\u30ed\u30fc\u30c9,\ub2e4\uc6b4\ub85c\ub4dc",
        r"(?:\u4e0b\u8f7d|\u4e0b\u8f09|\u30c0\u30a6\u30f3\u30ed\u30fc\u30c9|\ub2e4\uc6b4\ub85c\ub4dc)[^\u3002\n]{0,40}(?:\u6267\u884c|\u57f7\u884c|\u8fd0\u884c|\u904b\u884c|\u5b9f\u884c|\uc2e4\ud589)",
    ),
    # Checks switched off.
    _rule(
        CHECKS,
        "--no-verify,--insecure,--no-check-cert,--disable-,--allow-unauth,--dangerously,--no-sandbox,--skip-,--yolo,--trust-all,--force-yes,--ignore-cert,--no-gpg,--skip,--bypass,--no-tls,--no-ssl,--no-auth,--trusted-host,--unsafe",
        r"(?<![\w-])--(?:no-verify|insecure|no-check-certificate|disable-(?:web-)?(?:security|validation|verification|checks?|auth\w*|sandbox|ssl\w*|tls\w*)|allow-unauthenticated|dangerously-[\w-]+|no-sandbox|skip-(?:tests?|checks?|validat\w+|verif\w+|hooks?|lint|security|audit|review|auth\w*|sign\w*|dq)|yolo|trust-all|force-yes|ignore-cert\w*|no-gpg-(?:check|verify)\w*|bypass-[\w-]+|no-(?:tls|ssl|auth)(?:-verify)?|trusted-host|unsafe-perm)\b",
    ),
    _rule(CHECKS, "curl -", r"\bcurl\s+(?:-[a-z]*\s+)*-[a-z]*k[a-z]*\s"),
    _rule(
        CHECKS,
        "verify,rejectunauth,reject_unauth,strict-ssl,strict_ssl,strictssl,stricthost,check_hostname,cert_none,insecureskip,unverified,pythonhttps",
        r"\b(?:verify(?:_ssl|_certs|ssl|peer|host)?\s*[=:]\s*(?:false|0|none)\b|rejectunauthorized\W{1,4}false|node_tls_reject_unauthorized\W{1,4}0|strict[-_]?ssl\W{1,4}false|(?:http\.)?sslverify\W{1,4}(?:false|0)|git_ssl_no_verify|pythonhttpsverify\W{1,3}0|stricthostkeychecking\W{1,4}(?:no|off)|insecureskipverify\W{1,4}true|check_hostname\s*=\s*false|cert_none\b|_create_unverified_context)",
        "false,0,none,no,off,true,_create,cert_none",
        reach=(32, 60),
    ),
    _rule(
        CHECKS,
        "skip_,disable_,bypass_,ignore_,no_,force_,_force,unsafe_,without_",
        r"\b(?:[a-z0-9]+_)*(?:skip|disable|bypass|ignore|no|force|unsafe|without)(?:_[a-z0-9]+)*_(?:validat\w*|verif\w*|checks?|dq|gates?|auth\w*|security|sign\w*|hooks?|tests?|lint|audit|review|ok|pass|green|success|scan|policy|approval)\s*[=:]\s*[\"']?(?:1|true|yes|on)\b|\b\w+_force_(?:ok|pass|green|success)\b|\bforce_(?:ok|pass|green|success)\s*=",
        '=1,= 1,=true,= true,=yes,=on,: 1,:1,: true,:true,="1,=\'1,="true,=\'true,: ",: yes,= "',
    ),
    _rule(
        CHECKS,
        "setenforce,ufw ,iptables,firewall,mppreference,csrf_exempt,gatekeeper,spctl,xattr,apparmor,auditctl",
        r"\bsetenforce\s+0|\bufw\s+disable|\biptables\s+(?:-f|--flush|-p input accept)|netsh\s+advfirewall\s[^\n]{0,40}off|disablerealtimemonitoring|csrf_exempt|spctl\s+--master-disable|xattr\s+-[rcd]+\s[^\n]{0,40}quarantine|systemctl\s+(?:stop|disable|mask)\s+(?:--now\s+)?(?:firewalld|ufw|auditd|apparmor|fail2ban|clamav\w*|falcon\w*)",
    ),
    _rule(
        CHECKS,
        "lambda",
        r"\b\w*(?:valid|verif|check|auth|permit|allow|authori|sign)\w*\s*=\s*lambda\b[^:\n]{0,30}:\s*(?:true|none|1)\b",
    ),
    _rule(
        CHECKS,
        "skip,bypass,disabl,deactivat, off,suppress,circumvent,ignor,omit,forgo,sidestep,short-circuit,shortcircuit,relax,stub,comment out,commenting out,monkey,overrid,silenc,evad,avoid,bother,no need,waiv,around,neutrali,forc,\u00fcberspr,umgeh,deaktiv,schalt,d\u00e9sactiv,contourn,sauter,sautez,desactiv,deshabil,salta,salte,evita,desativ,desabil,pular,pule ,disattiv,disabil,aggir,\u043e\u0442\u043a\u043b\u044e\u0447,\u043f\u0440\u043e\u043f\u0443\u0441,\u043e\u0431\u043e\u0439,\u043e\u0431\u0445\u043e\u0434,\u0438\u0433\u043d\u043e\u0440,wy\u0142\u0105cz,pomi\u0144,devre d,uitschakel,overslaan",
        rf"(?<!\w)(?:{_OFF})\s?(?:(?:the|all|any|our|your|its|strict|every|die|den|das|les?|la|las|los|el|os?|as|i|gli|lo|\w+) ){{0,4}}(?:{_CHECK})(?!\w| ?(?:error|fail|issue|problem|exception|trail|header)s?)",
        "valid,verif,signatur,certific,check,gate,control,scan,guard,review,approv,audit,consent,sanitiz,authent,authoriz,commit,firewall,sandbox,antivir,defender,selinux,rate lim,factor,mfa,2fa,warning,rules,pr\u00fcf,freigab,sicher,zertif,v\u00e9rif,contr\u00f4l,s\u00e9cur,revue,firma,revis,segur,comprob,sicur,\u043f\u0440\u043e\u0432\u0435\u0440,\u0432\u0430\u043b\u0438\u0434,\u043f\u043e\u0434\u043f\u0438\u0441,\u0431\u0435\u0437\u043e\u043f,\u0440\u0435\u0432\u044c\u044e,\u0441\u0435\u0440\u0442\u0438\u0444,weryf,walid,bezpie,do\u011frul",
        reach=(14, 110),
        asked=True,
    ),
    _rule(
        CHECKS,
        "\u8df3\u8fc7,\u8df3\u904e,\u7ed5\u8fc7,\u7e5e\u904e,\u7981\u7528,\u5173\u95ed,\u95dc\u9589,\u5ffd\u7565,\u7121\u52b9,\u7121\u8996,\u30b9\u30ad\u30c3\u30d7,\u8fc2\u56de,\uac74\ub108,\ube44\ud65c\uc131,\uc6b0\ud68c,\ubb34\uc2dc",
        r"(?:\u8df3\u8fc7|\u8df3\u904e|\u7ed5\u8fc7|\u7e5e\u904e|\u7981\u7528|\u5173\u95ed|\u95dc\u9589|\u5ffd\u7565)[^\u3002\n]{0,12}(?:\u9a8c\u8bc1|\u9a57\u8b49|\u6821\u9a8c|\u6aa2\u67e5|\u68c0\u67e5|\u7b7e\u540d|\u7c3d\u540d|\u5b89\u5168|\u5ba1\u6838|\u5ba1\u67e5|\u8bc1\u4e66|\u6d4b\u8bd5)|(?:\u691c\u8a3c|\u7f72\u540d|\u8a8d\u8a3c|\u30ec\u30d3\u30e5\u30fc|\u30c1\u30a7\u30c3\u30af|\u30bb\u30ad\u30e5\u30ea\u30c6\u30a3|\u30c6\u30b9\u30c8)[^\u3002\n]{0,10}(?:\u7121\u52b9|\u7121\u8996|\u30b9\u30ad\u30c3\u30d7|\u8fc2\u56de|\u7701\u7565)|(?:\uac80\uc99d|\uc11c\uba85|\uc778\uc99d|\ub9ac\ubdf0|\uac80\uc0ac|\ubcf4\uc548|\ud14c\uc2a4\ud2b8)[^.\n]{0,10}(?:\uac74\ub108|\ube44\ud65c\uc131|\uc6b0\ud68c|\ubb34\uc2dc|\uc0dd\ub7b5)",
    ),
    _rule(
        CHECKS,
        _OFF_ABROAD.replace("|", ","),
        rf"(?:{_OFF_ABROAD})[^.\n\u0964;]{{0,40}}(?:{_CHECK_ABROAD})|(?:{_CHECK_ABROAD})[^.\n\u0964;]{{0,30}}(?:{_OFF_ABROAD})",
        _CHECK_ABROAD.replace("|", ","),
        reach=(60, 70),
    ),
    _rule(
        CHECKS,
        "=0 ,=off ",
        r"(?:^|[\s;&`'\"])(?:\w{1,30}_)?(?:strict\w{0,6}|guards?|gates?|checks?|verify|validate|audit|sandbox|safety|secure|signing)=(?:0|off) (?:\w+=\S{1,20} ){0,4}[a-z./]",
        "strict,guard,gate,check,verify,validate,audit,sandbox,safety,secure,signing",
        reach=(44, 60),
    ),
    _rule(
        CHECKS,
        " off, aus, ab",
        rf"\b(?:turn|switch|shut|schalt)\w* [^.\n;]{{0,30}}\b(?:{_CHECK})\w*(?: \w+){{0,2}} (?:off|aus|ab)\b",
        "turn,switch,shut,schalt",
        reach=(100, 6),
    ),
    _rule(
        RUNS,
        "urlopen,urlretrieve,requests.get,fetch(",
        r"\b(?:exec|eval|import|compile|new function)\b[^\n]{0,90}(?:urlopen|urlretrieve|requests\.get|\bfetch\()|(?:urlopen|urlretrieve|requests\.get|\bfetch\()[^\n]{0,160}\b(?:exec|eval)\(",
        "exec,eval",
    ),
    _rule(
        CHECKS,
        "off,false,disabled",
        r"\b\w*(?:verif(?:y|ication)|validat(?:e|ion)|signature_?checks?|signing|auth(?:entication|orization)?|sandbox\w*|audit\w*|firewall|gate(?:s|_enabled)?)[\"']?\s?[:=]\s?[\"']?(?:off|false|disabled|none)\b",
        "verif,validat,sign,auth,sandbox,audit,firewall,gate",
        reach=(60, 12),
    ),
    # Secrets read or sent.
    _rule(
        SECRETS,
        ".env,.ssh,id_rsa,id_ed25519,credential,.netrc,.npmrc,.pypirc,kube/config,docker/config,/etc/,api key,api_key,api-key,apikey,passw,secret,token,private key,ssh key,seed phrase,env var,environment var,printenv,kennw,zugangs,mots de passe,mot de passe,identifiants,contrase,credenc,senha,chiav,\u043f\u0430\u0440\u043e\u043b,\u043a\u043b\u044e\u0447,\u0442\u043e\u043a\u0435\u043d",
        rf"\b{_SENDS_WORD}\b[^.\n;]{{0,70}}{_SECRET}[^.\n;]{{0,60}}{_AWAY}",
        "send,post,upload,exfil,forward,mail,transmit,publish,leak,share,push,pipe,paste,deliver,report,stream,ship,beacon,schick,\u00fcbermittl,hochlad,lad,envoy,transmet,vers,env\u00ed,sub,mand,carreg,invi,caric,\u043e\u0442\u043f\u0440\u0430\u0432,\u043f\u0435\u0440\u0435\u0434\u0430,\u0437\u0430\u0433\u0440\u0443\u0437",
        reach=(120, 120),
    ),
    _rule(
        SECRETS,
        "curl ,wget , nc ,|nc ,ncat ,scp ,rsync ,requests.,invoke-,aws s3,gh gist, mail ,openssl ,iwr ,irm ,urlopen",
        rf"(?:{_SECRET}|\$\(?\{{?(?:env|printenv)|\benv\b\s*\||printenv)[^\n;]{{0,120}}(?:\||&&|>)\s*[^\n]{{0,40}}(?:{_GETS}|nc|ncat|scp|rsync|mail|openssl)\b|(?:{_GETS}|nc|ncat|scp|rsync|gh gist create|aws s3 (?:cp|sync))\b[^\n;]{{0,160}}(?:\.ssh/|id_rsa|id_ed25519|\.aws/|\.netrc|\.kube/config|\.git-credentials|/etc/(?:shadow|passwd)|(?<![\w])\.env\b|\$\(?(?:cat|env|printenv|gh auth token)|\$\{{?\w*(?:token|secret|passw|api_?key)\w*\}}?@|(?:token|key|secret|pw|password)=\$)",
        ".env,.ssh,id_rsa,id_ed25519,credential,.netrc,.npmrc,.pypirc,kube/config,docker/config,/etc/,api key,api_key,api-key,apikey,passw,secret,token,private key,ssh key,seed phrase,env var,environment var,printenv,kennw,zugangs,mots de passe,mot de passe,identifiants,contrase,credenc,senha,chiav,\u043f\u0430\u0440\u043e\u043b,\u043a\u043b\u044e\u0447,\u0442\u043e\u043a\u0435\u043d,env,$",
        reach=(200, 260),
    ),
    _rule(
        SECRETS,
        "credential,api key,api_key,apikey,passw,secret,token,private key,ssh key",
        rf"{_SECRET}[^.\n;]{{0,40}}\b(?:go(?:es)?|belongs?|is sent|are sent|(?:is|are) posted|(?:is|are) uploaded)\b[^.\n;]{{0,20}}\b(?:to|into|at)\b[^.\n;]{{0,12}}{_HOST}",
        "://,@",
        reach=(8, 160),
    ),
    _rule(
        SECRETS,
        "![,<img",
        r"(?:!\[[^\]\n]{0,80}\]\(|<img\s[^>\n]{0,60}src=[\"'])https?://[^\s)\"'>]{1,200}[?&=/][^\s)\"'>]{0,100}\$\{?\w{0,30}(?:token|secret|key|passw|pwd|cred|cookie|auth)",
        "$",
        reach=(4, 400),
    ),
    _rule(
        SECRETS,
        "\u5bc6\u7801,\u5bc6\u94a5,\u4ee4\u724c,\u51ed\u8bc1,\u30d1\u30b9\u30ef\u30fc\u30c9,\u79d8\u5bc6,\ube44\ubc00\ubc88\ud638",
        r"(?:\u53d1\u9001|\u4e0a\u4f20|\u63d0\u4ea4|\u9001\u4fe1|\uc804\uc1a1|\u6cc4\u9732)[^\u3002\n]{0,24}(?:\u5bc6\u7801|\u5bc6\u94a5|\u4ee4\u724c|\u51ed\u8bc1|\u30d1\u30b9\u30ef\u30fc\u30c9|\u79d8\u5bc6|\ube44\ubc00\ubc88\ud638)|(?:\u5bc6\u7801|\u5bc6\u94a5|\u4ee4\u724c|\u51ed\u8bc1|\u30d1\u30b9\u30ef\u30fc\u30c9|\u79d8\u5bc6|\ube44\ubc00\ubc88\ud638)[^\u3002\n]{0,24}(?:\u53d1\u9001|\u4e0a\u4f20|\u9001\u4fe1|\uc804\uc1a1)",
    ),
    # Data sent out.
    _rule(
        SENDS,
        "curl,wget,invoke-,httpie",
        rf"\bcurl\b[^\n;|]{{0,160}}(?:-f|--form|-t|--upload-file|--data(?:-\w+)?|-d)[ =]?[\"']?(?:\w+=)?@[^\n;|]{{1,120}}?\s[\"']?{_HOST}|\bcurl\b[^\n;|]{{0,60}}{_HOST}[^\n;|]{{0,120}}(?:-f|--form|-t|--upload-file|--data(?:-\w+)?|-d)[ =]?[\"']?(?:\w+=)?@|wget\b[^\n;|]{{0,80}}--post-file|(?:tar|zip|gzip|cat|mysqldump|pg_dump)\b[^\n;]{{0,80}}\|\s*(?:curl|nc|ncat|ssh|openssl)\b",
    ),
    _rule(
        SENDS,
        "external,third-party,third party,remote,partner,outside,public,attacker,unknown,://,webhook,pastebin,gist",
        r"\b(?:upload|send|export|push|share|post|forward|transmit|exfiltrate|pipe|copy|mirror)(?:s|ing)?\b[^.\n;]{0,60}\b(?:data(?:set|base)?s?|customer\w*|pii|records|source code|repository contents?|code ?base|metrics and data|dump|logs|history|transcripts?|conversation|files|backups?)\b[^.\n;]{0,50}\b(?:to|at|with|via)\b[^.\n;]{0,30}(?:external|third[- ]party|remote|partner|outside|public|attacker|unknown|https?://|webhook|pastebin|gist)",
        "upload,send,export,push,share,post,forward,transmit,exfil,pipe,copy,mirror",
        reach=(190, 40),
    ),
    # Permissions.
    _rule(
        OPENS,
        "chmod,icacls,nopasswd,sudoers,--privileged,--cap-add,authorized_keys,permitrootlogin,0.0.0.0/0,public-read,allusers,grant all,docker.sock,setuid,usermod,allow_origins,chown",
        r"\bchmod\s+(?:-\w+\s+)*(?:0?[0-7]?777|0?666|a\+r?wx?|o\+r?wx?|ugo\+r?wx?|[ug]?\+s|[24]7\d\d)\b|icacls\s[^\n]{0,60}everyone|nopasswd\s*:|>>?\s*/etc/sudoers|(?:>>|tee -a)\s*\S*authorized_keys|permitrootlogin\s+yes|(?:cidr\w*|from|source|ingress)[^\n]{0,40}0\.0\.0\.0/0|acl\W{1,4}public-read|allusers\b|\bgrant\s+all\s+(?:privileges\s+)?on\b|--privileged\b|--cap-add[= ]\W?(?:all|sys_admin)|-v\s*/var/run/docker\.sock|usermod\s+-ag?\s+(?:sudo|wheel|docker)",
    ),
    _rule(
        OPENS,
        "world-writ,world writ,grant,everyone,anyone,all users,give , give",
        r"\b(?:grant|give|make|add|allow|set)(?:s|ing)?\b[^.\n;]{0,50}\b(?:everyone|anyone|all users|the world|public)\b[^.\n;]{0,24}\b(?:write|full|admin|root|access|permission)|world-writ(?:e)?able|\b(?:grant|give)\b[^.\n;]{0,40}\b(?:admin|root|owner|full)\b[^.\n;]{0,12}\b(?:access|rights?|role|permissions?|privileges)\b",
        "world,admin,everyone,anyone,public,full,root,owner,all users",
    ),
    # Review.
    _rule(
        REVIEW,
        "--force, -f,\t-f,--admin",
        r"\bgit\s+push\s[^\n;|]{0,50}(?:--force(?!-with-lease)\b|(?<=\s)-f\b)[^\n;|]{0,40}|\bgh\s+pr\s+merge\b[^\n;|]{0,60}--admin",
        "push,merge",
        reach=(110, 60),
    ),
    _rule(
        REVIEW,
        "without,before,instead of,skip,ohne,sans,sin ,sem ,senza,approv",
        rf"{ASKS}(?:merge(?! commit)|push|deploy|ship|land|commit|release|publish|proceed|install)\w*\b[^.\n;]{{0,40}}\b(?:without|before|instead of|skip\w*|ohne|sans|sin|sem|senza)\b[^.\n;]{{0,24}}\b(?:review\w*|approv\w*|sign-?off|permission|confirm\w*|asking|consent|freigabe|revue|revisi\w*)|\b(?:self-)?approv\w+ (?:your|its|my) own\b|\bauto-?approv\w+\b[^.\n;]{{0,30}}\b(?:all|every|everything|any)\b",
        "review,approv,sign-off,signoff,permission,confirm,asking,consent,freigabe,revue,revisi",
        reach=(110, 70),
    ),
    # Success that nobody checked.
    _rule(
        PRETENDS,
        "mark ,marks ,marked ,marking ,flag ,stamp,label ,treat ,declar,flags ,labels ,report as,reports as,log as,count as,as pass,as success,as final,as clean,as green,as approved,as verified,as validated,as sanitized",
        r"(?:(?:skip|without|regardless|bypass|avoid|forc|even if|unblock|no need|instead of|fillna\(0|head\(\d+\)|instantly|quick|workaround|disabl|drop|delet|remov|stale|cache)[^\n]{0,160})?\b(?:mark|flag|stamp|label|treat|declar|tag|log|record|report|count)(?:s|ed|ing)?\b[^.\n;]{0,40}\b(?:as |=\s*)?(?:pass(?:ed|ing)|success\w*|validated|approved|clean|sanitized|verified|signed[- ]?off|final|green|reviewed|compliant|safe|complete(?:d)?)\b(?:[^\n]{0,160}(?:skip|without|regardless|bypass|avoid|forc|even if|unblock|no need|instead of|fillna\(0|head\(\d+\)|instantly|disabl|drop|delet|remov|stale|waiting)\w*)",
        "skip,without,regardless,bypass,avoid,forc,even if,unblock,no need,instead of,fillna,head(,instantly,quick,workaround,disabl,drop,delet,remov,stale,cache,waiting",
        reach=(220, 220),
    ),
    _rule(
        PRETENDS,
        "mark ,marks ,marked ,marking ,flag ,flags ,stamp,status\",status',status\\,status=,status:,status],status),status =,status :,status \",status ',label ,labels ,treat ,declar,schema_check,_validation,approved,signoff,sign_off,verified,reviewed",
        r"(?:skip|without|regardless|bypass|avoid|forc|even if|unblock|no need|instead of|fillna\(0|head\(\d+\)|instantly|disabl|drop|delet|remov|stale|cached)\w*[^\n]{0,180}(?:\b(?:mark|flag|stamp|label|treat|declar|record|report)(?:s|ed|ing)?\b[^.\n;]{0,40}\b(?:pass(?:ed|ing)?|success\w*|validated|approved|clean|sanitized|verified|signed[- ]?off|final|green|reviewed|compliant|safe|complete(?:d)?|today)\b|\b\w*(?:status|schema_check|validation|approved|verified|signoff|sign_off|reviewed)\W{1,4}=?\s*[\"'](?:ok|approved|passed|skipped|success|ready\w*|done|clean|true|green)[\"'])",
        "skip,without,regardless,bypass,avoid,forc,even if,unblock,no need,instead of,fillna,head(,instantly,quick,workaround,disabl,drop,delet,remov,stale,cache,waiting",
        reach=(220, 220),
    ),
    _rule(
        PRETENDS,
        "always pass,always return,always true,always succeed,always green,exit 0,pretend,fake ,forge",
        r"\b(?:make|patch|monkey-?patch|force|rewrite|change|stub|let)\w*\b[^.\n;]{0,60}\balways (?:pass|return(?:s)? true|succeed|true|green)|\b(?:pretend|fake|forge|fabricat)\w*\b[^.\n;]{0,40}\b(?:result|test|success|approval|signature|review|check|pass|metric)\w*",
    ),
    # Traces.
    _rule(
        TRACES,
        "audit,consent,history -c,histfile,wevtutil,journalctl --vac,/var/log,log files,shred",
        r"\b(?:drop|delet|remov|eras|wip|clear(?= (?:the|all|out|your))|disabl|truncat|strip|purg)\w*\b[^.\n;]{0,40}\b(?:audit|consent|access[- ]log)\w*|\bhistory\s+-c\b|unset\s+histfile|histfile=/dev/null|wevtutil\s+cl|\brm\s+-\w+\s+/var/log|columns=\[[^\]\n]{0,60}(?:audit|consent)",
    ),
    # What stays.
    _rule(
        PERSISTS,
        "crontab,.bashrc,.zshrc,.profile,launchagents,systemd,schtasks,currentversion\\run,claude.md,agents.md,.cursorrules,gemini.md,core.hookspath,.git/hooks,post-checkout",
        r"\|\s*crontab\b|(?:>>?|tee(?: -a)?)\s*[\"']?(?:~|\$home|\$\{home\}|/root|/home/\w+)?/?\.?(?:bashrc|zshrc|profile|bash_profile|zprofile|zshenv)\b|(?:>>?|tee(?: -a)?|cp \S+|mv \S+)\s*\S*(?:launchagents/|/etc/cron|/etc/systemd/|\.git/hooks/|claude\.md|agents\.md|\.cursorrules|gemini\.md)|schtasks\s+/create|currentversion\\run\b|core\.hookspath|\b(?:add|append|write|insert|put|save|copy)\b[^.\n;]{0,60}\b(?:this|these|the following|the line|it)\b[^.\n;]{0,40}\b(?:claude\.md|agents\.md|\.cursorrules|gemini\.md|copilot-instructions|\.bashrc|crontab|memory|system prompt)\b",
    ),
    # What is gone.
    _rule(
        DESTROYS,
        "rm -,mkfs,dd if,:(){,drop database,format c,git reset --hard,clean -,terraform destroy,delete namespace,truncate table",
        r"(?<!git )\brm\s+-(?:rf|fr|r\s+-f|f\s+-r)\w*\s+(?:--no-preserve-root\s+)?[\"']?(?:/|~|\$home|\$\{home\}|\*|/\*|\.\.?)[\"']?(?:\s|$|;|&|`)|\bmkfs\.|\bdd\s+if=\S+\s+of=/dev/|:\(\)\{|\bdrop\s+database\b|terraform\s+destroy\b[^\n]{0,40}-auto-approve|kubectl\s+delete\s+(?:ns|namespace)\b",
    ),
    # New places that code comes from.
    _rule(
        SOURCES,
        "index-url,registry,apt-key,goproxy=,insteadof",
        rf"--(?:extra-)?index-url[= ]\W?{_NOT_OURS}(?!https?://(?:pypi\.org|files\.pythonhosted|download\.pytorch))https?://|\b(?:npm|yarn|pnpm|bun)\s+(?:config\s+set\s+(?:\w+:)?registry|set\s+registry)\b|--registry[= ]\W?{_NOT_OURS}(?!https?://registry\.(?:npmjs|yarnpkg))https?://|\bapt-key\s+add|\bgoproxy=\W?(?!https://proxy\.golang|off|direct)https?://|git\s+config\s(?![^\n]{{0,40}}--get)[^\n]{{0,40}}insteadof",
        "npm,yarn,bun,index-url,--registry,apt-key,goproxy=,insteadof",
        reach=(120, 120),
    ),
)
