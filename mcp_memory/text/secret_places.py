"""Secret places: secrets told by what stands beside them: a name, a mark, a command, an address."""

import base64
import re

from mcp_memory.text.provider_keys import SERVICES
from mcp_memory.text.redaction_rules import Judged, Rule, mark, place
from mcp_memory.text.secret_commands import COMMANDS


def _back(family: str, start: str, back: int, pattern: str) -> Rule:
    return Rule(family, (start,), re.compile(pattern), back=back)


def _named(family: str, names: tuple[str, ...], pattern: str, judged: Judged) -> Rule:
    return Rule(family, names, re.compile(pattern), folded=True, judged=judged, after=True)


_TAIL = r"[\w.\-]{0,24}[\"'`\]\)\\]{0,9}[ \t]{0,8}"
_TYPED = r"[ \t]{0,3}[A-Za-z][\w\[\]|.? ]{1,30}=(?=[ \t]{0,3}\\?[\"'])"
_JOIN = (
    rf"(?::=|=>|->|===?|=|[:\uff1a](?:{_TYPED}|(?!:))|,(?=\s{{0,3}}\\{{0,7}}[\"'])|>(?=[^<>\s]{{4,200}}</)"
    r"|[ \t]is(?=[ \t])|,?\s{0,20}[\"'\\]{0,3}(?:[vV]alue|content)[\"'\\]{0,3}[ \t]{0,3}[:=])\s{0,8}"
)
_VALUE = (
    r"(?:[a-zA-Z.]{0,30}\([^()\n]{0,60}\)\s{1,3}or\s{1,3}|(?:b|r|f|u|rb|br|@|L)(?=\\?[\"']))?"
    r"(?:(?P<quote>\\{0,7}[\"'`])(?P<secret>(?:(?!(?P=quote))[^\r\n]){4,400}?)(?P=quote)(?!\s{0,3}:)"
    r"|(?P<bare>[^\s\"'`,;(){}\[\]<>|&\\]{4,400}+)(?![(\[]))"
)
_AFTER_PASSWORD = rf"(?:{_JOIN}|\((?=\\{{0,7}}[\"'])|[ \t]{{1,4}}(?=\\{{0,7}}[\"']))"
_ASSIGNED = _TAIL + _JOIN + _VALUE
_OF_SERVICE = (
    r"[\w.\- ]{0,24}[\"'`\])\\]{0,4}[ \t]{0,4}(?:=>|->|:{0,3}=|\?=|\|\||:|>|,(?=[^\s]))[`\"'\s=\\]{0,5}"
    r"(?P<bare>[A-Za-z0-9_\-+/=.:~]{15,400})(?![(\[])"
)
"""Wider than an assignment: gitleaks' joints, and a name of several words before them."""
_SPACED_WORD = r"[ \t](?P<bare>[^\s\"'`,;(){}\[\]<>|&\\:=]{8,100}+)(?![(\[])"
_SPACED = r"[ \t](?P<bare>[A-Za-z0-9+/=_\-]{12,400}+)(?![\w(\[.])"
_PASSWORDS = (
    "pass", "pwd", "pswd", "psk", "psswd", "pswrd", "psword", "psswrd", "pssword", "paswd", "paswrd",
    "pasword", "_pw", "pw:",
    "contraseña", "mot de passe", "senha", "пароль", "密码", "密碼", "パスワード", "비밀번호",
)  # fmt: skip
_NO_WORD = (
    r"(?<!- PASS)(?<!\nPASS)(?<!bypass)(?<!compass)(?!e[dnrs]|ing|ion|ive|age|thr|port\b|able)"
)

_NAMES = ("secret", "token", "credential", "salt", "nonce", "connectionstring", "connection_string")
_OF_KEY = (
    "api app application access account admin auth bot client consumer encrypt encryption amz deploy "
    "jwt license master private secret service session shared signing storage subscription webhook"
)
_KEYS = tuple(of + joint + "key" for of in _OF_KEY.split() for joint in ("", "_", "-", ".", " "))
_DIGITS = "|".join(base64.b64encode(f"{n:03}".encode()).decode() for n in range(1000))
"""What tokens begin with that carry a number, in base64."""
_PEM = (
    r"-----BEGIN[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?P<secret>[^(){}<>;`$]{16,16400}?)(?:-----END|\Z|(?=[(){}<>;`$]))"
)
"""A block that is only spoken of, in code, is soon followed by what no key holds."""

_FILES = (
    mark("private-key", "-----BEGIN", _PEM, reach=16_000),
    mark(
        "private-key",
        "MII",
        r"MII[A-Za-z0-9+/]{2,3}IBA[AD](?P<secret>[A-Za-z0-9+/=\s\\]{40,8000})",
        reach=9_000,
    ),
    mark(
        "private-key",
        "MC4CAQAwBQYDK2V|MIGHAgEAMBMGByqGSM49|MIGHAgEAMBMGByq|MHcCAQEEI|MHQCAQEEI",
        r"M[A-Za-z0-9+/=]{60,400}",
    ),
    mark(
        "private-key", "LS0tLS1CRUdJTi", r"LS0tLS1CRUdJTi[A-Za-z0-9+/=\s\\]{40,16000}", reach=17_000
    ),
    mark(
        "private-key",
        "Private-Lines:",
        r"Private-Lines:[^\n]{0,20}\n(?P<secret>[A-Za-z0-9+/=\s]{40,8000}?)(?:Private-MAC|\Z)",
        reach=9_000,
    ),
    mark(
        "private-key",
        "kty",
        r"kty[\"']?\s{0,3}:\s{0,3}[\"'](?:RSA|EC|oct|OKP)[\"'][^{}]{0,3000}?"
        r"[\"'](?:d|k)[\"']\s{0,3}:\s{0,3}[\"'](?P<secret>[A-Za-z0-9_\-]{22,2000})",
        reach=6_000,
    ),
    mark(
        "shadow",
        "$1$|$5$|$6$|$y$|$2a$|$2b$|$2y$|$apr1$|$argon2",
        r"\$(?:1|5|6|y|2[aby]|apr1|argon2(?:id|i|d))\$(?P<secret>[A-Za-z0-9./$=,+]{20,200})",
    ),
    place(
        "netrc",
        "machine ",
        r"(?i:machine\s{1,4}\S{1,100}\s{1,4}login\s{1,4}\S{1,100}\s{1,4}password\s{1,4})(?P<secret>\S{3,200})",
        "",
    ),
)
_HALVES = (
    _back("azure", "Q~", 4, r"[A-Za-z0-9_~.\-]{3}[0-9]Q~[A-Za-z0-9_~.\-]{31,34}"),
    _back("azure", "JQQJ9", 52, r"[A-Za-z0-9]{52}JQQJ9[A-Za-z0-9]{20,40}"),
    _back("telegram", ":AA", 8, r"[0-9]{8}:AA[A-Za-z0-9_\-]{32,34}(?![A-Za-z0-9])"),
    _back("mailchimp", "-us", 32, r"[0-9a-f]{32}-us[0-9]{1,2}(?![A-Za-z0-9])"),
    _back("newrelic", "NRAL", 36, r"[0-9a-z]{36}NRAL(?![A-Za-z0-9])"),
    _back("maxmind", "_mmk", 36, r"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk(?![A-Za-z0-9])"),
    _back("hashicorp", ".atlasv1.", 14, r"[A-Za-z0-9_\-]{14}\.atlasv1\.[A-Za-z0-9_\-]{60,80}"),
    _back(
        "dropbox",
        "AAAAAAAAAA",
        11,
        r"(?<![A-Za-z0-9+/=_])[A-Za-z0-9]{10}[B-Za-z0-9]A{10}[A-Za-z0-9_\-]{43}(?![A-Za-z0-9+/=])",
    ),
    mark(
        "aws",
        "AKIA|ASIA",
        r"A[KS]IA[A-Z0-9]{16}[\s\S]{1,160}?(?<![A-Za-z0-9+/])(?P<bare>[A-Za-z0-9+/]{40})(?![A-Za-z0-9+/])",
        "random",
    ),
    mark(
        "twilio",
        "AC|SK",
        r"(?:AC|SK)[0-9a-f]{32}[\s\S]{1,120}?(?<![A-Za-z0-9+/_\-])(?P<bare>[0-9a-f]{32})(?![A-Za-z0-9+/_\-])",
        "random",
    ),
    mark(
        "discord",
        _DIGITS,
        r"(?<![A-Za-z0-9+/_\-])[MNO][A-Za-z0-9_\-]{22,30}\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,45}",
    ),
    mark(
        "atlassian",
        _DIGITS,
        r"(?<![A-Za-z0-9+_\-])(?=[A-Za-z0-9+/]{44}(?![A-Za-z0-9+/=_\-]))"
        r"(?P<bare>(?:[MNO][ADQTgjwz][AEIMQUYcgk][0-5w-z]){2,5}[A-Za-z0-9+/]{24,40})",
        "random",
    ),
    mark(
        "jwt",
        "eyJ|eyI",
        r"ey[JI][A-Za-z0-9_\-]{10,4000}+={0,2}\.[A-Za-z0-9_\-]{6,8000}+(?:\.[A-Za-z0-9_\-]{0,4000}+){0,3}",
        reach=16_000,
        edge=True,
    ),
)
_ADDRESSES = (
    mark(
        "azure",
        "AccountKey=|SharedAccessKey=|SharedSecretValue=",
        r"\w{10,17}=(?P<secret>[A-Za-z0-9+/]{40,100}={0,2})",
    ),
    mark("azure", "sig=", r"sig=(?P<secret>[A-Za-z0-9%+/]{30,120})"),
    mark(
        "aws",
        "X-Amz-",
        r"X-Amz-(?:Signature|Credential|Security-Token)=(?P<secret>[A-Za-z0-9%+/_.\-]{16,2000})",
    ),
    mark(
        "slack",
        "hooks.slack.com/",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9/+_]{20,120})",
    ),
    mark("teams", "/IncomingWebhook/", r"/IncomingWebhook/(?P<secret>[a-z0-9]{32}/[a-z0-9\-]{36})"),
    mark(
        "discord",
        "/api/webhooks/",
        r"/api/webhooks/[0-9]{15,22}/(?P<secret>[A-Za-z0-9_\-]{40,100})",
        "random",
    ),
    mark("authorization", "/token/", r"/token/(?P<secret>[A-Za-z0-9]{40,80})(?![A-Za-z0-9])"),
    mark(
        "url-key",
        "?key=|&key=|?apikey=|&apikey=|?appid=|&appid=|&sign=|?code=|&code=",
        r"[?&]\w{3,6}=(?P<bare>[A-Za-z0-9_\-]{16,400})",
        "random",
    ),
    mark("otp", "otpauth://", r"otpauth://[^\s\"'<>]{0,200}?secret=(?P<secret>[A-Za-z2-7]{8,128})"),
    mark(
        "url-password",
        "://",
        r"://[^\s:/@\"'<>?#]{0,100}:(?P<secret>[^\s/@\"'<>]{1,200})@[A-Za-z0-9\[]",
        "password",
    ),
    mark("url-password", "://", r"://(?P<bare>[A-Za-z0-9_\-]{20,200})@[A-Za-z0-9]", "random"),
    # A token in the user's place and a fixed word in the password's: git hosts, registries.
    mark(
        "url-password",
        "://",
        r"://(?P<secret>[A-Za-z0-9_\-.]{8,200}):(?:x-oauth-basic|x-token-auth|x-access-token|oauth2|X)@",
    ),
    mark(
        "url-password",
        ":5432:|:5433:|:6432:",
        r":\d{4}:[^:\s]{1,60}:[^:\s]{1,60}:(?P<bare>[^\s:]{4,100})",
        "password",
    ),
)
_HEADERS = (
    place(
        "authorization",
        "authorization|bearer ",
        r"(?i:authorization[\"'\\]{0,4}\s{0,3}[:=,]\s{0,3}[\\\"'`]{0,4}(?:bearer|basic|token|digest|apikey|ntlm)?"
        r"\s{1,3}|bearer\s{1,3})(?P<secret>[A-Za-z0-9_\-.~+/=]{16,2000})",
        "random",
    ),
    place(
        "authorization", "basic ", r"(?i:basic\s{1,3})(?P<secret>[A-Za-z0-9+/]{12,400}={1,2})", ""
    ),
    place(
        "cookie",
        "cookie",
        r"(?i:cookie[\"']?\s{0,3}[:=]\s{0,3}[\"']?[^\n\"']{0,300}?(?:sess|auth|token|sid|jwt)[\w.\-]{0,20}=)"
        r"(?P<bare>[^\s;\"',]{12,2000})",
        "random",
    ),
    place(
        "npm",
        ":_authtoken|:_auth|:_password",
        r"(?i::_(?:authToken|auth|password)\s{0,3}[= ]\s{0,3})(?P<secret>[^\s\"'$]{8,200})",
        "password",
    ),
)
_BESIDE_NAMES = (
    _named("assignment", _PASSWORDS, _NO_WORD + _TAIL + _AFTER_PASSWORD + _VALUE, "password"),
    _named("assignment", (*_NAMES, *_KEYS), _ASSIGNED, "named"),
    _named("assignment", _NAMES + _KEYS, _TAIL + _SPACED, "random"),
    _named("assignment", ("_api", "_auth"), _ASSIGNED, "random"),
    _named("assignment", ("password", "passwort", "passphrase"), _SPACED_WORD, "random"),
    _named("service", tuple(SERVICES.split()), _OF_SERVICE, "random"),
)
PLACES: tuple[Rule, ...] = (*_FILES, *_HALVES, *_ADDRESSES, *_HEADERS, *COMMANDS, *_BESIDE_NAMES)
"""Every rule that is not a provider's key."""
