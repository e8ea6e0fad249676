"""Secret commands: secrets on a command line, told by the command and the flag before them."""

import re

from mcp_memory.text.redaction_rules import Rule, mark, place

_ARGUMENT = r"(?:\\?[\"'](?P<secret>[^\"'\n\\]{4,300})\\?[\"']|(?P<bare>[^\s\"'|;&<>`\\()]{4,300}))"
_FLAG = (
    r"[\w\-]{0,16}(?i:passw(?:or)?d|passphrase|pass|pwd|token|secret|key|bearer|passin|passout)"
    r"[\w\-]{0,12}(?:=|[ \t]{1,3})(?:pass:)?"
)
_IN_FLAG = re.compile(r"(?:^|[\s\"'`(=\[,])-?[\w\-]{0,24}$")
_LATER = r"\s(?:[^\n|;&]{0,200}?\s)?"
"""Other words of the same command."""


def _command(names: str, flag: str, argument: str = _ARGUMENT) -> Rule:
    """A flag of some commands, anywhere behind their names."""
    told = "|".join(name.strip() for name in names.split("|"))
    return mark("command", names, rf"(?:{told})\w{{0,10}}{_LATER}{flag}{argument}", "password")


_BARE = r"(?P<bare>[^\s\"'\-][^\s\"']{3,100})"
_LOGINS = "docker login|podman login|registry login|az login|oc login|argocd login"
_DATABASES = "mongosh |mongo |mongodump |mongorestore |sqlcmd |cqlsh "
_TAKES_IT = (
    r"(?:chpasswd|sudo -S|--stdin|--password-stdin|--with-token|smbpasswd|secret (?:set|create))"
)
_SECURE = (
    r"(?i:ConvertTo-SecureString)(?:\s{1,3}-(?!s)\w{1,20}){0,3}(?:\s{1,3}-(?i:string))?\s{1,3}"
)
_SETTERS = (
    "secret_access_key |session_token |config set |config:set |secret set |auth set |authtoken "
)
_SQL = "identified by|with password|encrypted password|set password|identified with"

_FLAGS = "-pass -pwd -token -secret -api -auth -access -private -oauth2 -client"

COMMANDS: tuple[Rule, ...] = (
    Rule(
        "flag",
        tuple(_FLAGS.split(" ")),
        re.compile("-" + _FLAG + _ARGUMENT),
        folded=True,
        judged="password",
        before=_IN_FLAG,
    ),
    mark(
        "command",
        "-u |--user ",
        r"--?u(?:ser)? [\"']?[^\s:\"'/]{1,60}:(?P<secret>[^\s\"'@]{4,200})",
        "password",
    ),
    _command("sshpass", r"-p\s{0,3}"),
    _command("mysql|mariadb", "-p", _BARE),
    _command("ssh-keygen", r"-[NP]\s{1,3}"),
    _command("keytool|jarsigner", r"-(?:store|key|new|src|dest)(?:store)?pass\s{1,3}"),
    _command("redis-cli", r"-a\s{1,3}"),
    _command("ldapsearch|ldapmodify|ldapadd|ldapwhoami", r"-w\s{0,3}"),
    _command("smbclient|rpcclient", r"-U\s{0,3}[\"']?[^\s%\"']{1,60}%", _BARE),
    _command("zip |7z |unrar ", r"-(?:P\s{1,3}|p)", _BARE),
    _command("htpasswd ", r"-\w{0,4}b\w{0,4}\s{1,3}\S{1,200}\s{1,3}\S{1,60}\s{1,3}"),
    _command(f"{_LOGINS}|{_DATABASES}", r"-[pP]\s{1,3}"),
    mark("command", "pass:", r"pass:(?P<bare>[^\s\"'|;&<>`\\(){}\[\],]{4,200})", "random"),
    mark(
        "command",
        "echo |printf ",
        r"(?:echo|printf)\s{1,3}(?:-n\s{1,3})?[\"']?(?:[\w.\-]{1,40}:)?(?P<secret>[^\s\"'|:]{4,200})"
        rf"[\"']?\s{{0,3}}\|\s{{0,3}}[^\n|]{{0,60}}?{_TAKES_IT}",
        "password",
    ),
    place(
        "command",
        _SETTERS,
        rf"(?i:[a-z_:]{{4,18}} (?:set )?)(?:[\w./:\-]{{0,80}}[ =])?{_ARGUMENT}",
        "random",
    ),
    place("command", "convertto-securestring", _SECURE + _ARGUMENT, "password"),
    place(
        "command",
        _SQL,
        r"(?i:identified|with|encrypted|set)\s(?i:by|password|with)[^\n'\"]{0,60}?[\s=(]"
        r"['\"](?P<secret>[^'\"\n]{4,200})['\"]",
        "password",
    ),
    place(
        "command",
        "net use ",
        rf"(?i:net use)\s[^\n|;&]{{0,120}}?(?:/user:\S{{1,60}}|\s[\w.]{{1,40}})\s{{1,3}}{_BARE}",
        "random",
    ),
)
"""Every rule for a command line."""
