"""Redaction rules: what each kind of secret looks like, with the words that must be near it."""

import re
from dataclasses import dataclass

RULES_VERSION = 1
"""Raised when a rule changes, so that histories are masked anew."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret: `hints` are lower-case words, one of which the text must hold.

    The group `secret` of the pattern is masked, or the whole match where there is none.
    """

    family: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    judged: bool = False
    """Whether the value must also look like a secret: patterns that catch any assignment."""


def _rule(family: str, hints: str, pattern: str, *, judged: bool = False) -> Rule:
    return Rule(family, tuple(hints.split()), re.compile(pattern), judged)


_EDGE = r"(?<![A-Za-z0-9_\-])"
_END = r"(?![A-Za-z0-9_\-])"
_NAME = (
    r"(?i:[\w.\-]{0,40}?(?:passw(?:or)?d|passwd|pwd|passphrase|secret|token|api[_\-. ]?key|apikey|"
    r"access[_\-. ]?key|auth[_\-. ]?key|private[_\-. ]?key|encryption[_\-. ]?key|signing[_\-. ]?key|"
    r"client[_\-. ]?secret|credentials?|account[_\-. ]?key|salt|nonce)[\w.\-]{0,20}?)"
)
_ASSIGNED = r"[\"'`\]\)]{0,3}\s{0,8}(?::=|=>|=|:|,(?=\s{0,3}[\"']))\s{0,8}"
_NAME_HINTS = (
    "passw pwd passphrase secret token api_key api-key apikey api.key access_key accesskey access-key "
    "auth_key authkey private_key privatekey encryption_key signing_key credential account_key accountkey "
    "salt nonce"
)

RULES: tuple[Rule, ...] = (
    _rule(
        "private-key",
        "private",
        r"-----BEGIN[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r"(?P<secret>[\s\S]{20,12000}?)(?:-----END|\Z)",
    ),
    _rule(
        "aws",
        "akia asia abia acca a3t",
        rf"{_EDGE}(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{{16}}{_END}",
    ),
    _rule(
        "aws",
        "aws",
        r"(?i:aws[\w\-. ]{0,30}?(?:secret|key)[\w\-. ]{0,20})[\"']?\s{0,5}[=:>,]{1,2}\s{0,5}[\"'`]?(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])",
    ),
    _rule("google", "aiza", rf"{_EDGE}AIza[A-Za-z0-9_\-]{{35}}"),
    _rule("google", "ya29.", r"ya29\.[A-Za-z0-9_\-]{20,400}"),
    _rule("google", "gocspx", rf"{_EDGE}GOCSPX-[A-Za-z0-9_\-]{{28}}"),
    _rule("google", "googleusercontent", r"[0-9]{8,14}-[a-z0-9]{32}\.apps\.googleusercontent\.com"),
    _rule(
        "azure",
        "accountkey sharedaccess",
        r"(?i:AccountKey|SharedAccessKey)\s{0,3}=\s{0,3}(?P<secret>[A-Za-z0-9+/]{40,100}={0,2})",
    ),
    _rule("azure", "sig=", r"[?&]sig=(?P<secret>[A-Za-z0-9%+/]{30,120})"),
    _rule("azure", "8q~ 7q~", r"(?<![A-Za-z0-9~])[A-Za-z0-9_~.]{3}[78]Q~[A-Za-z0-9_~.\-]{31,34}"),
    _rule("github", "ghp_ gho_ ghu_ ghs_ ghr_", rf"{_EDGE}gh[pousr]_[A-Za-z0-9]{{36,255}}"),
    _rule("github", "github_pat_", r"github_pat_[A-Za-z0-9_]{22,255}"),
    _rule(
        "gitlab",
        "glpat- gldt- glrt- glcbt- glptt- glft- glsoat- glagent-",
        rf"{_EDGE}gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-[A-Za-z0-9_\-]{{20,100}}",
    ),
    _rule(
        "slack",
        "xox xapp-",
        r"(?:xox[abeoprs]|xapp)-(?:[A-Za-z0-9]{1,15}-){1,6}[A-Za-z0-9]{10,100}",
    ),
    _rule(
        "slack",
        "hooks.slack.com",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9/+_]{20,120})",
    ),
    _rule(
        "discord",
        "discord",
        r"discord(?:app)?\.com/api/webhooks/[0-9]{15,22}/(?P<secret>[A-Za-z0-9_\-]{60,80})",
    ),
    _rule(
        "discord",
        "discord bot",
        r"(?<![A-Za-z0-9_\-])[MNO][A-Za-z0-9_\-]{23,27}\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,40}",
    ),
    _rule(
        "telegram", ":aa", r"(?<![0-9A-Za-z])[0-9]{8,10}:AA[A-Za-z0-9_\-]{32,34}(?![A-Za-z0-9_\-])"
    ),
    _rule(
        "stripe",
        "sk_live sk_test rk_live rk_test whsec_",
        rf"{_EDGE}(?:(?:sk|rk)_(?:live|test|prod)_[A-Za-z0-9]{{10,200}}|whsec_[A-Za-z0-9+/=]{{24,100}})",
    ),
    _rule(
        "square",
        "sq0 eaaa",
        rf"{_EDGE}(?:sq0[a-z]{{3}}-[A-Za-z0-9_\-]{{22,60}}|EAAA[A-Za-z0-9_\-]{{50,80}})",
    ),
    _rule(
        "paypal", "access_token$production", r"access_token\$production\$[0-9a-z]{16}\$[0-9a-f]{32}"
    ),
    _rule(
        "openai",
        "sk-",
        rf"{_EDGE}sk-(?:proj-|svcacct-|admin-|None-)?[A-Za-z0-9_\-]{{20,250}}{_END}",
    ),
    _rule("anthropic", "sk-ant-", rf"{_EDGE}sk-ant-[A-Za-z0-9_\-]{{20,250}}"),
    _rule("huggingface", "hf_ api_org_", rf"{_EDGE}(?:hf|api_org)_[A-Za-z]{{34}}{_END}"),
    _rule(
        "groq",
        "gsk_ xai- r8_ pplx-",
        rf"{_EDGE}(?:gsk_[A-Za-z0-9]{{40,60}}|xai-[A-Za-z0-9]{{60,100}}|r8_[A-Za-z0-9]{{37}}|pplx-[A-Za-z0-9]{{40,60}})",
    ),
    _rule("npm", "npm_", rf"{_EDGE}npm_[A-Za-z0-9]{{36}}{_END}"),
    _rule(
        "npm",
        "_authtoken _auth _password",
        r"(?i::?_(?:authToken|auth|password)\s{0,3}=\s{0,3})(?P<secret>[^\s\"'$]{8,200})",
    ),
    _rule("pypi", "pypi-", r"pypi-AgE[A-Za-z0-9_\-]{50,500}"),
    _rule("rubygems", "rubygems_", r"rubygems_[a-f0-9]{48}"),
    _rule("docker", "dckr_pat_", r"dckr_pat_[A-Za-z0-9_\-]{27}"),
    _rule("sendgrid", "sg.", rf"{_EDGE}SG\.[A-Za-z0-9_\-]{{16,64}}\.[A-Za-z0-9_\-]{{16,80}}"),
    _rule("mailgun", "key- mailgun", rf"{_EDGE}key-[0-9a-f]{{32}}{_END}"),
    _rule("mailchimp", "-us", r"(?<![0-9a-f])[0-9a-f]{32}-us[0-9]{1,2}(?![0-9a-z])"),
    _rule("twilio", "sk ac twilio", r"(?<![A-Za-z0-9])SK[0-9a-f]{32}(?![A-Za-z0-9])"),
    _rule("shopify", "shpat_ shpca_ shppa_ shpss_", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    _rule("digitalocean", "dop_v1 doo_v1 dor_v1", r"do[opr]_v1_[a-f0-9]{64}"),
    _rule("databricks", "dapi", rf"{_EDGE}dapi[a-f0-9]{{32}}(?:-\d)?{_END}"),
    _rule("newrelic", "nrak- nrjs-", r"NR(?:AK|JS)-[A-Za-z0-9]{19,40}"),
    _rule("grafana", "glc_ glsa_ eyjrijoi", r"gl(?:c|sa)_[A-Za-z0-9+/_=]{32,400}"),
    _rule("vault", "hvs. hvb. s.", rf"{_EDGE}hv[sb]\.[A-Za-z0-9_\-]{{24,300}}"),
    _rule("linear", "lin_api_ lin_oauth_", r"lin_(?:api|oauth)_[A-Za-z0-9]{32,64}"),
    _rule(
        "notion",
        "ntn_ secret_",
        rf"{_EDGE}(?:ntn_[A-Za-z0-9]{{40,60}}|secret_[A-Za-z0-9]{{43}}){_END}",
    ),
    _rule("figma", "figd_", r"figd_[A-Za-z0-9_\-]{30,80}"),
    _rule("postman", "pmak-", r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    _rule("sentry", "sntrys_ sntryu_", r"sntry[su]_[A-Za-z0-9+/=_]{40,400}"),
    _rule("age", "age-secret-key", r"AGE-SECRET-KEY-1[0-9A-Z]{50,70}"),
    _rule("facebook", "eaa", rf"{_EDGE}EAA[A-Za-z0-9]{{80,250}}"),
    _rule("dropbox", "sl.", rf"{_EDGE}sl\.[A-Za-z0-9_\-]{{130,200}}"),
    _rule("atlassian", "atatt3", r"ATATT3[A-Za-z0-9_\-=]{60,250}"),
    _rule(
        "jwt",
        "eyj",
        rf"{_EDGE}ey[JI][A-Za-z0-9_\-]{{10,3000}}\.ey[JI][A-Za-z0-9_\-]{{6,6000}}(?:\.[A-Za-z0-9_\-]{{0,3000}})?",
    ),
    _rule(
        "jwt",
        "eyj",
        rf"{_EDGE}eyJ[A-Za-z0-9_\-]{{14,3000}}={{0,2}}\.[A-Za-z0-9_\-]{{6,3000}}\.[A-Za-z0-9_\-]{{10,3000}}",
    ),
    _rule(
        "url-password",
        "://",
        r"[a-zA-Z][a-zA-Z0-9+.\-]{1,20}://[^\s:/@\"'<>?#]{0,100}:(?P<secret>[^\s/@\"'<>]{1,200})@[A-Za-z0-9\[]",
        judged=True,
    ),
    _rule(
        "authorization",
        "authorization bearer basic",
        r"(?i:\bauthorization[\"']?\s{0,3}[:=,]\s{0,3}[\"'`]?(?:bearer|basic|token|digest|apikey)?\s{1,3}|\bbearer\s{1,3})(?P<secret>[A-Za-z0-9_\-.~+/=]{16,2000})",
        judged=True,
    ),
    _rule("authorization", "basic", r"(?i:\bbasic\s{1,3})(?P<secret>[A-Za-z0-9+/]{12,400}={1,2})"),
    _rule(
        "cookie",
        "cookie",
        r"(?i:\b(?:set-)?cookie[\"']?\s{0,3}[:=]\s{0,3}[\"']?[\w.\-]{0,30}(?:sess|auth|token|sid|jwt)[\w.\-]{0,20}=)(?P<secret>[^\s;\"',]{12,2000})",
    ),
    _rule(
        "shadow",
        "$1$ $5$ $6$ $y$ $2a$ $2b$ $2y$ $argon2",
        r"\$(?:1|5|6|y|2[aby]|argon2(?:id|i|d))\$(?P<secret>[A-Za-z0-9./$=,+]{20,200})",
    ),
    _rule(
        "netrc",
        "machine",
        r"(?i:\bmachine\s{1,4}\S{1,100}\s{1,4}login\s{1,4}\S{1,100}\s{1,4}password\s{1,4})(?P<secret>\S{3,200})",
    ),
    _rule(
        "flag",
        "--pass --token --secret --api --auth --key -p",
        r"(?i:--(?:password|passwd|pass|token|secret|api-key|apikey|auth-token|access-token|client-secret))(?:=|\s{1,3})[\"']?(?P<secret>[^\s\"'|;&<>]{4,300})",
        judged=True,
    ),
    _rule(
        "assignment",
        _NAME_HINTS,
        rf"(?<![A-Za-z0-9_$.\-]){_NAME}{_ASSIGNED}(?:(?i:[a-z]{{0,2}})(?P<quote>\\?[\"'`])(?P<secret>(?:(?!(?P=quote))[^\r\n]){{4,400}}?)(?P=quote)|(?P<bare>[^\s\"'`,;(){{}}\[\]<>|&]{{4,400}}))",
        judged=True,
    ),
)
