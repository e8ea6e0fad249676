"""Redaction rules: what each kind of secret looks like, from the letters that it begins with."""

import re
from dataclasses import dataclass

RULES_VERSION = 1
"""Raised when a rule changes, so that histories are masked anew."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret; its pattern is tried only where one of its `starts` stands.

    The group `secret` (or `bare`) of the pattern is masked, or the whole match where there is none.
    """

    family: str
    starts: tuple[str, ...]
    pattern: re.Pattern[str]
    folded: bool = False
    """Whether `starts` are lower-case and meant in any case."""
    judged: bool = False
    """Whether the value must also look like a secret: patterns that catch any assignment."""
    before: re.Pattern[str] | None = None
    """What must end just before the start, in lower case."""
    reach: int = 0
    """How many characters after its start the secret may take; 0 means a line's worth."""


def _key(family: str, starts: str, pattern: str) -> Rule:
    return Rule(family, tuple(starts.split()), re.compile(_EDGE + pattern))


def _place(family: str, starts: str, pattern: str, *, judged: bool = True) -> Rule:
    return Rule(family, tuple(starts.split("|")), re.compile(pattern), folded=True, judged=judged)


_EDGE = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))"
"""A key begins a word, or follows an escaped line end."""
_C = r"[A-Za-z0-9]"
_W = r"[A-Za-z0-9_\-]"
_END = r"(?![A-Za-z0-9])"
_NAMES = "passw|passphrase|pass=|pass:|pwd|secret|token|credential|salt|nonce"
_OF_KEY = re.compile(
    r"(?:api|access|auth|private|encryption|encrypt|signing|account|master|secret|client|amz)[_\-. ]?$"
)
_ASSIGNED = (
    r"[\w.\-]{0,24}[\"'`\]\)]{0,3}\s{0,8}(?::=|=>|==|=|:|,(?=\s{0,3}[\"']))\s{0,8}"
    r"(?:[a-zA-Z.]{0,30}\([^()\n]{0,60}\)\s{1,3}or\s{1,3})?"
    r"(?:[a-zA-Z]{0,2}(?P<quote>\\?[\"'`])(?P<secret>(?:(?!(?P=quote))[^\r\n]){4,400}?)(?P=quote)"
    r"|(?P<bare>[^\s\"'`,;(){}\[\]<>|&]{4,400}))"
)

RULES: tuple[Rule, ...] = (
    Rule(
        "private-key",
        ("-----BEGIN",),
        re.compile(
            r"-----BEGIN[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
            r"(?P<secret>[\s\S]{16,16000}?)(?:-----END|\Z)"
        ),
        reach=17_000,
    ),
    Rule(
        "private-key",
        ("MII",),
        re.compile(r"MII[A-Za-z0-9+/]{2,3}IBA[AD](?P<secret>[A-Za-z0-9+/=\s\\]{40,8000})"),
        reach=9_000,
    ),
    _key("aws", "AKIA ASIA ABIA ACCA", rf"A[A-Z]{{3}}[A-Z0-9]{{16}}{_END}"),
    _key("aws", "amzn.mws.", rf"amzn\.mws\.{_W}{{36}}"),
    _key("alibaba", "LTAI", rf"LTAI{_C}{{12,30}}(?:[\s,\"'`:;]{{1,8}}{_C}{{30}})?{_END}"),
    _key("mcp-memory", "mcpm_", rf"mcpm_[0-9a-f]{{12}}_{_W}{{43}}"),
    _key("google", "AIza", rf"AIza{_W}{{35}}"),
    _key("google", "ya29.", rf"ya29\.{_W}{{20,400}}"),
    _key("google", "GOCSPX-", rf"GOCSPX-{_W}{{28}}"),
    Rule(
        "azure",
        ("AccountKey=", "SharedAccessKey="),
        re.compile(r"\w{10,16}=(?P<secret>[A-Za-z0-9+/]{40,100}={0,2})"),
    ),
    Rule("azure", ("sig=",), re.compile(r"sig=(?P<secret>[A-Za-z0-9%+/]{30,120})")),
    Rule("azure", ("8Q~", "7Q~"), re.compile(r"[78]Q~[A-Za-z0-9_~.\-]{31,34}")),
    Rule(
        "aws",
        ("X-Amz-",),
        re.compile(
            r"X-Amz-(?:Signature|Credential|Security-Token)=(?P<secret>[A-Za-z0-9%+/_.\-]{16,2000})"
        ),
    ),
    _key("github", "ghp_ gho_ ghu_ ghs_ ghr_", rf"gh[pousr]_{_C}{{30,255}}"),
    _key("github", "github_pat_", r"github_pat_[A-Za-z0-9_]{22,255}"),
    _key(
        "gitlab",
        "glpat- gldt- glrt- glcbt- glptt- glft- glsoat- glagent-",
        rf"gl[a-z]{{2,5}}-{_W}{{20,100}}",
    ),
    _key(
        "bitbucket",
        "BBDC- ATBB ATCTT3 ATATT3",
        r"(?:BBDC-|ATBB|ATCTT3|ATATT3)[A-Za-z0-9+/=_\-]{28,250}",
    ),
    _key(
        "slack",
        "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xoxe. xapp-",
        r"(?:xox[abeoprs]|xapp)[.-](?:[A-Za-z0-9]{1,15}-){0,6}[A-Za-z0-9]{10,200}",
    ),
    Rule(
        "slack",
        ("hooks.slack.com/",),
        re.compile(
            r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9/+_]{20,120})"
        ),
    ),
    Rule(
        "discord",
        ("/api/webhooks/",),
        re.compile(rf"/api/webhooks/[0-9]{{15,22}}/(?P<secret>{_W}{{60,80}})"),
    ),
    Rule("telegram", (":AA",), re.compile(rf"(?<=[0-9]{{8}}):AA{_W}{{32,34}}{_END}")),
    _key(
        "stripe",
        "sk_live_ sk_test_ rk_live_ rk_test_ sk_prod_",
        rf"[sr]k_(?:live|test|prod)_{_C}{{10,200}}",
    ),
    _key("stripe", "whsec_", r"whsec_[A-Za-z0-9+/=]{24,100}"),
    _key("square", "sq0 EAAA", rf"(?:sq0[a-z]{{3}}-{_W}{{22,60}}|EAAA{_W}{{50,80}})"),
    _key(
        "paypal",
        "access_token$production$",
        r"access_token\$production\$[0-9a-z]{16}\$[0-9a-f]{32}",
    ),
    _key("openai", "sk-", rf"sk-(?:proj-|svcacct-|admin-|None-|ant-)?{_W}{{20,250}}"),
    _key("huggingface", "hf_ api_org_", rf"(?:hf|api_org)_[A-Za-z]{{34}}{_END}"),
    _key(
        "model-host",
        "gsk_ xai- r8_ pplx- tgp_v1_ tvly- llx- cosmo_ nvapi- jina_",
        rf"(?:gsk_|xai-|r8_|pplx-|tgp_v1_|tvly-|llx-|cosmo_|nvapi-|jina_){_W}{{24,120}}",
    ),
    _key("npm", "npm_", rf"npm_{_C}{{36}}{_END}"),
    _place(
        "npm",
        ":_authtoken|:_auth|:_password",
        r"(?i::_(?:authToken|auth|password)\s{0,3}=\s{0,3})(?P<secret>[^\s\"'$]{8,200})",
    ),
    _key("pypi", "pypi-AgE", rf"pypi-AgE{_W}{{50,500}}"),
    _key(
        "packages",
        "rubygems_ CLOJARS_ oy2 dckr_pat_ dckr_oat_",
        r"(?:rubygems_[a-f0-9]{48}|CLOJARS_[a-z0-9]{40,64}|oy2[a-z0-9]{43}|dckr_[po]at_[A-Za-z0-9_\-]{27,60})",
    ),
    _key("sendgrid", "SG.", rf"SG\.{_W}{{16,64}}\.{_W}{{16,80}}"),
    _key(
        "mail",
        "key- xkeysib- re_",
        r"(?:key-[0-9a-f]{32}|xkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16}|re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24})",
    ),
    _key("twilio", "SK", rf"SK[0-9a-f]{{32}}{_END}"),
    _key("shopify", "shpat_ shpca_ shppa_ shpss_", r"shp[a-z]{2}_[a-fA-F0-9]{32}"),
    _key(
        "cloud",
        "dop_v1_ doo_v1_ dor_v1_ dapi HRKU- pscale_ nfp_ nfc_ dp.pt. dp.st. dp.ct. dnkey- hvs. hvb. fio-u- vercel_ CFPAT- tskey-",
        r"(?:do[opr]_v1_[a-f0-9]{64}|dapi[a-f0-9]{32}|HRKU-[A-Za-z0-9_\-]{36,80}|pscale_[a-z]{2,5}_[A-Za-z0-9_.\-]{32,80}|nf[pc]_[A-Za-z0-9]{36,60}|dp\.[a-z]{2}\.[A-Za-z0-9._\-]{40,60}|dnkey-[A-Za-z0-9=_\-]{26,90}|hv[sb]\.[A-Za-z0-9_\-]{24,300}|fio-u-[A-Za-z0-9=_\-]{64}|tskey-[a-z]{3,8}-[A-Za-z0-9\-]{20,60}|CFPAT-[A-Za-z0-9_\-]{43}|vercel_[A-Za-z0-9_]{24,60})",
    ),
    _key(
        "monitoring",
        "NRAK- NRJS- NRAL- glc_ glsa_ sntrys_ sntryu_ dt0c01.",
        r"(?:NR(?:AK|JS|AL)-[A-Za-z0-9]{19,40}|gl(?:c|sa)_[A-Za-z0-9+/_=]{32,400}|sntry[su]_[A-Za-z0-9+/=_]{40,400}|dt0c01\.[A-Z0-9]{24}\.[A-Z0-9]{64})",
    ),
    Rule("cloud", (".atlasv1.",), re.compile(rf"(?<={_C}{{14}})\.atlasv1\.{_W}{{60,80}}")),
    _key(
        "work",
        "lin_api_ lin_oauth_ ntn_ secret_ figd_ PMAK- PMAT- pat- shippo_ ops_ey",
        r"(?:lin_(?:api|oauth)_[A-Za-z0-9]{32,64}|ntn_[A-Za-z0-9]{40,60}|secret_[A-Za-z0-9]{43}|figd_[A-Za-z0-9_\-]{30,80}|PMAK-[a-f0-9]{24}-[a-f0-9]{34}|PMAT-[A-Z0-9]{26}|pat-[a-z]{2}\d-[a-f0-9\-]{36}|shippo_(?:live|test)_[a-f0-9]{40}|ops_ey[A-Za-z0-9+/=_\-]{40,2000})",
    ),
    _key("age", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[0-9A-Z]{50,70}"),
    _key("facebook", "EAA", rf"EAA{_C}{{80,250}}"),
    Rule(
        "dropbox",
        ("AAAAAAAAAA",),
        re.compile(rf"(?<={_C}{{11}})AAAAAAAAAA{_W}{{43}}{_END}"),
    ),
    Rule("authorization", ("/token/",), re.compile(rf"/token/(?P<secret>{_C}{{40,80}}){_END}")),
    _key("dropbox", "sl.", rf"sl\.{_W}{{130,200}}"),
    Rule(
        "jwt",
        ("eyJ", "eyI"),
        re.compile(rf"ey[JI]{_W}{{10,4000}}={{0,2}}\.{_W}{{6,8000}}(?:\.{_W}{{0,4000}})?"),
        reach=16_000,
    ),
    Rule(
        "url-password",
        ("://",),
        re.compile(r"://[^\s:/@\"'<>?#]{0,100}:(?P<secret>[^\s/@\"'<>]{1,200})@[A-Za-z0-9\[]"),
        judged=True,
    ),
    Rule(
        "curl",
        ("-u ",),
        re.compile(r"-u [\"']?[^\s:\"'/]{1,60}:(?P<secret>[^\s\"']{4,200})"),
        judged=True,
    ),
    _place(
        "authorization",
        "authorization|bearer ",
        r"(?i:authorization[\"']?\s{0,3}[:=,]\s{0,3}[\"'`]?(?:bearer|basic|token|digest|apikey)?\s{1,3}|bearer\s{1,3})(?P<secret>[A-Za-z0-9_\-.~+/=]{16,2000})",
    ),
    _place(
        "authorization",
        "basic ",
        r"(?i:basic\s{1,3})(?P<secret>[A-Za-z0-9+/]{12,400}={1,2})",
        judged=False,
    ),
    _place(
        "cookie",
        "cookie",
        r"(?i:cookie[\"']?\s{0,3}[:=]\s{0,3}[\"']?[\w.\-]{0,30}(?:sess|auth|token|sid|jwt)[\w.\-]{0,20}=)(?P<secret>[^\s;\"',]{12,2000})",
    ),
    Rule(
        "shadow",
        ("$1$", "$5$", "$6$", "$y$", "$2a$", "$2b$", "$2y$", "$argon2"),
        re.compile(r"\$(?:1|5|6|y|2[aby]|argon2(?:id|i|d))\$(?P<secret>[A-Za-z0-9./$=,+]{20,200})"),
    ),
    _place(
        "netrc",
        "machine ",
        r"(?i:machine\s{1,4}\S{1,100}\s{1,4}login\s{1,4}\S{1,100}\s{1,4}password\s{1,4})(?P<secret>\S{3,200})",
        judged=False,
    ),
    _place(
        "flag",
        "--pass|--token|--secret|--api|--auth|--access|--client|--super",
        r"(?i:--(?:pass\w{0,6}|[\w\-]{0,20}token|[\w\-]{0,20}secret[\w\-]{0,10}|api-?key))(?:=|\s{1,3})[\"']?(?P<bare>[^\s\"'|;&<>]{4,300})",
    ),
    _place(
        "assignment",
        _NAMES,
        rf"(?i:passw|passphrase|pass(?=[=:])|pwd|secret|token|credential|salt|nonce){_ASSIGNED}",
    ),
    Rule(
        "assignment",
        ("key",),
        re.compile(rf"(?i:key){_ASSIGNED}"),
        folded=True,
        judged=True,
        before=_OF_KEY,
    ),
)
