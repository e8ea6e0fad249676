"""Redaction: secrets go, what only looks like one stays, and nothing is masked twice."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.text.redaction import WINDOW, redact, redact_value

KEYS = {
    "aws": "AKIA" + "Q3EXAMPL7QDUMMY9"[:16],
    "github": "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "gitlab": "glpat-" + "x9Yz8Wv7Ut6Sr5Qp4On3",
    "slack": "xoxb-" + "123456789012-abWdefGHoJKL1834",
    "stripe": "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "openai": "sk-proj-" + "Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St0",
    "google": "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
    "npm": "npm_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
}
KEPT = (
    "9fceb02d0ae598e95dc970b74767f19372d61af8",
    "9fceb02",
    "550e8400-e29b-41d4-a716-446655440000",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "/home/u/.cache/pip/http/a/b/c/d/0123456789abcdef",
    "C:\\Users\\u\\repo\\token_store.py",
    "toolu_01A2b3C4d5E6f7G8h9J0",
    "msg_01XFDUDYJgAACzvnptvVoYEL",
    "https://example.com/api/v1/token?page=2",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 user@host",
    "h1:WpEdBNmjeRw9b7Xk0bX0Y2H0fLrgTUgGfyTNzvtNnIY=",
)


@pytest.mark.parametrize("family", KEYS)
@given(before=st.text(max_size=40), after=st.text(max_size=40))
def test_a_providers_key_is_masked_wherever_it_stands(family: str, before: str, after: str) -> None:
    text = f"{before} {KEYS[family]} {after}"
    assert KEYS[family] not in redact(text).text


@pytest.mark.parametrize("family", KEYS)
@pytest.mark.parametrize("frame", ["{}", '"{}"', "x={}\n", "line\\n{}\\nline", "(`{}`)", "{},"])
def test_a_key_is_masked_in_quotes_escapes_and_lists(family: str, frame: str) -> None:
    assert KEYS[family] not in redact(frame.format(KEYS[family])).text


@pytest.mark.parametrize(
    "text",
    [
        "password = 'hunter2x9!'",
        'export DB_PASSWORD="S3cr3t-pw9"',
        '{"api_key": "zx9Kd83jdkslQ8"}',
        "postgres://app:S3cretPw9@db.internal/app",
        "Authorization: Bearer abcdef0123456789ABCDEF",
        "curl -u admin:dG9rZW4x http://127.0.0.1",
        "tool --token 9kD83jdkslQ8zx",
        "machine example.com login me password hunter2x9",
        "root:$6$saltsalt$Kx8s7d6f5g4h3j2k1l0Qw9e8r7t6y5:19000:0",
    ],
)
def test_a_value_beside_a_telling_name_is_masked(text: str) -> None:
    assert "[masked:" in redact(text).text


@pytest.mark.parametrize(
    "text",
    [
        "password = os.environ['DB_PASSWORD']",
        "token: ${GITHUB_TOKEN}",
        "def login(password: str, token: str | None = None) -> None:",
        "const secret = process.env.SECRET;",
        "password=<your password>",
        "the token budget of an answer is 1500 tokens: fine",
        "secret: example",
        "if token == previous_token:",
        "api_key=args.api_key",
    ],
)
def test_code_and_prose_about_secrets_stay(text: str) -> None:
    assert redact(text).text is text


NAMES = (
    "--- PASS: TestHandlesUserLogin2FA (0.01s)",
    "    --- PASS: TestTokenRefresh/body_limit_v2 (0.00s)\nPASS: Test2Things ok",
    "internal/auth/tokenstore.go:35:func readFileToken(path string) error {",
    "internal/auth/tokenstore_lock_unix.go:14-func flockExclusive(path string)",
    '"input_tokens":  float64(500), "output_tokens": float64(200),',
    "map-tokens: 4096",
    'SALT = "entire-settings-salt-v2"',
    "field_order = ['old_password', 'new_password1', 'new_password2']",
    "TokenKind.ACCESS_TOKEN_V2 = 'access_token_v2'",
    "branch.20260206-secrets-redaction.merge=refs/heads/20260206-secrets-redaction",
    '{"token": "a", "ValidateToken": "gh/example/repo2:go:internal/auth"}',
    "password_hash_rounds: 12000x2",
    "token_expires_at: 2026-01-02T03:04:05Z",
    "secret_name: projects/p1/secrets/db2",
    "passenger: seat12a, passing=42x7",
    "PASS: -1e-200 (pos=200)",
    "credentials: see docs/auth2.md",
    "the tokenizer: bert-base-uncased-v2",
    "re_export_all_of_the_things_in_module_b2",
    "pk_columns_of_the_table_number_2_and_3",
    "sk-learn-pipeline-with-three-steps-2024",
    '"pass_mask64": "0x81103c1452dd61cd"',
    "#define PASSWORD 0x0dead1beef7cafe2",
    "discord.com/api/webhooks/148392840000482200/take-the-webhook-that-you-are-looking-for-here_8",
)


@pytest.mark.parametrize("text", NAMES)
def test_names_of_tests_files_enums_and_counts_stay(text: str) -> None:
    assert redact(text).text == text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("api_key = 9f86d081884c7d659a2feaa0c55ad015", "9f86d081"),
        ("client_secret: '3f2504e0-4f89-41d3-9a0c-0305e82c3301'", "3f2504e0"),
        ("SECRET_KEY=9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015", "9f86d081"),
        ("X-Api-Key: 9f86d081884c7d659a2feaa0c55ad015", "9f86d081"),
        ("DD_API_KEY=9f86d081884c7d659a2feaa0c55ad015", "9f86d081"),
        ("datadog = 9f86d081884c7d659a2feaa0c55ad015", "9f86d081"),
        ("AKIAQ3EGRWTYSDMPLK7H,wJalrXUtnFEMI7K7MDENGbPxRfiCYzQ8LmNoPq1R", "wJalrXUtnFEMI7K7"),
        (
            "aws configure set aws_secret_access_key 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",
            "wJal",
        ),
        ("https://9f86d081884c7d659a2feaa0c55ad015@o1.ingest.sentry.io/1", "9f86d081"),
        ("https://x.io/a?access_token=9f86d081884c7d659a2feaa0c55ad015&b=1", "9f86d081"),
        ("Cookie: a=1; session_id=9f86d081884c7d659a2feaa0c55ad015", "9f86d081"),
        ("Authorization: Basic bWU6UzNjcmV0UHc5", "bWU6UzNj"),
        ("MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs", "ZnCjm1XVW7"),
        ("otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&issuer=x", "JBSWY3DPEHPK3PXP"),
        *(
            (line, "S3cretPw9")
            for line in (
                "sshpass -p S3cretPw9 ssh me@h",
                "mysql -u root -pS3cretPw9 db",
                "redis-cli -h h -a S3cretPw9 ping",
                "curl --user 'me:S3cretPw9' https://x",
                "docker login -u me -p S3cretPw9 reg.io",
                "echo S3cretPw9 | docker login -u me --password-stdin",
                "echo 'me:S3cretPw9' | chpasswd",
                "zip -P S3cretPw9 a.zip b",
                "ldapsearch -x -D cn=a -w S3cretPw9 -b dc=x",
                "smbclient //h/s -U me%S3cretPw9",
                "htpasswd -bc f me S3cretPw9",
                "ssh-keygen -t rsa -N 'S3cretPw9' -f k",
                "keytool -storepass S3cretPw9 -list",
                "openssl enc -k x -pass pass:S3cretPw9",
                "CREATE USER me IDENTIFIED BY 'S3cretPw9'",
                "ALTER ROLE me WITH PASSWORD 'S3cretPw9'",
                'ConvertTo-SecureString "S3cretPw9" -AsPlainText -Force',
                "<password>S3cretPw9</password>",
                '<add key="Password" value="S3cretPw9"/>',
                "- name: DB_PASSWORD\n  value: S3cretPw9",
                'val password: String = "S3cretPw9"',
                '#define password "S3cretPw9"',
                'db.setPassword("S3cretPw9")',
                "the password is S3cretPw9 for now",
                "db.x:5432:app:me:S3cretPw9",
                "contraseña: S3cretPw9",
                "密码\uff1aS3cretPw9",
            )
        ),
    ],
)
def test_a_secret_is_masked_by_what_stands_beside_it(text: str, secret: str) -> None:
    assert secret not in redact(text).text


@pytest.mark.parametrize("kept", KEPT)
@pytest.mark.parametrize("frame", ["{}", "commit {} by me", '{{"id": "{}"}}', "see ({})."])
def test_ids_digests_and_paths_are_kept(kept: str, frame: str) -> None:
    text = frame.format(kept)
    assert redact(text).text == text


def test_a_private_key_is_masked_between_its_marks() -> None:
    block = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow0123456789abcdef\nABCDEF==\n-----END RSA PRIVATE KEY-----"
    for text in (block, block.replace("\n", "\\n")):
        masked = redact(text).text
        assert "MIIEow" not in masked
        assert masked.endswith("-----END RSA PRIVATE KEY-----")


def test_only_the_password_of_a_url_is_masked() -> None:
    masked = redact("postgres://app:S3cretPw9@db.internal/app").text
    assert masked == "postgres://app:[masked:url-password]@db.internal/app"


@pytest.mark.parametrize(
    "text",
    [
        "git clone https://a1B2c3D4e5F6g7H8i9J0k1L2:x-oauth-basic@github.com/acme/x.git",
        "https://x-access-token:a1B2c3D4e5F6g7H8i9J0k1L2@github.com/acme/x.git",
        "MONGO=mongodb+srv://svc:zc%O6r7EjUa1B2c3@c0.mongodb.net/app",
        "mongodb://svc:bbB1D$Ea1B2c3$EeXS@c0.mongodb.net/app",
    ],
)
def test_a_token_in_the_users_place_and_signs_within_a_password_are_no_disguise(text: str) -> None:
    masked = redact(text).text
    assert "a1B2c3" not in masked
    assert "[masked:" in masked


@pytest.mark.parametrize(
    "text",
    ["https://user:$PASSWORD@h.io/x", "https://user:${PW}@h.io/x", "https://u:%PASSWORD%@h.io/x"],
)
def test_a_password_that_stands_elsewhere_is_no_secret(text: str) -> None:
    assert redact(text).text == text


def test_what_two_rules_find_is_always_masked_as_the_same_ones() -> None:
    for shift in range(40):
        masked = redact(f"{'x' * shift} curl --token abcd1234efgh5678").text
        assert masked.endswith("--token [masked:flag]")
    assert redact_value({"token": KEYS["npm"]})[1] == {"npm": 1}


@given(st.text())
def test_masking_twice_is_masking_once(text: str) -> None:
    once = redact(text + " password='hunter2x9!' " + KEYS["github"]).text
    assert redact(once).text == once


def test_a_text_without_secrets_comes_back_as_it_is() -> None:
    text = "nothing to see here\n" * 100
    assert redact(text).text is text


def test_a_key_across_the_seam_of_a_long_text_is_masked() -> None:
    for shift in range(-40, 5, 5):
        text = "x " * ((WINDOW + shift) // 2) + KEYS["github"] + " y" * 2_000
        assert KEYS["github"] not in redact(text).text


def test_a_json_value_is_judged_with_its_key() -> None:
    masked, counts = redact_value({"env": {"API_KEY": "zx9Kd83jdkslQ8"}, "n": [1, KEYS["npm"]]})
    assert masked == {"env": {"API_KEY": "[masked:assignment]"}, "n": [1, "[masked:npm]"]}
    assert counts == {"assignment": 1, "npm": 1}


@pytest.mark.parametrize(
    "unit",
    [
        "sk-",
        "eyJ",
        "token=a1",
        "-----BEGIN PRIVATE KEY-----",
        "ghp_aaaaaa\n",
        "Z2hwX",
        "6768705f",
        "&#65;",
    ],
)
def test_masking_takes_linear_time_on_hostile_text(unit: str) -> None:
    begun = time.process_time()
    redact(unit * (100_000 // len(unit)))
    assert time.process_time() - begun < 5


def test_a_key_that_is_only_spoken_of_masks_nothing_behind_it() -> None:
    text = 'if strings.Contains(text, "-----BEGIN PRIVATE KEY-----") {\n\treturn errSecret\n}\n' * 3
    assert redact(text).text == text
