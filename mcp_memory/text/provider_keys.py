"""Provider keys: the letters that each provider's secrets begin with, and what follows them.

Facts after gitleaks 8's default configuration (MIT, 222 rules), CredSweeper 1.19.5's rules (MIT, 151)
and Kingfisher 2.14.0's list (Apache-2.0, 488); own patterns. `<C36>` is at least 36 letters and
digits, `<W20>` also `_` and `-`, `<X32>` hexadecimal digits, `<B40>` base64, `<U>` a UUID.
"""

SOURCES = "gitleaks 8, CredSweeper 1.19.5, Kingfisher 2.14.0"
"""The lists that the table was last compared with."""

STRONG = (
    # clouds
    ("aws", "AKIA ASIA ABIA ACCA", "[A-Z0-9]{16}"),
    ("aws", "A3T", "[A-Z0-9]{17}"),
    ("aws", "ABSK bedrock-api-key-", "<B28>"),
    ("aws", "amzn.mws.", "[0-9a-z]{8}-(?:[0-9a-z]{4}-){3}[0-9a-z]{12}"),
    ("aws", "da2-", "[a-z0-9]{26}"),
    ("alibaba", "LTAI", r"<C12>(?:[\s,\"'`:;]{1,8}[A-Za-z0-9]{30})?"),
    ("google", "AIza", "<W35>"),
    ("google", "ya29. 1//0", "<W20>"),
    ("google", "GOCSPX-", "<W24>"),
    ("digitalocean", "dop_v1_ doo_v1_ dor_v1_ dos_v1_", "<X64>"),
    ("heroku", "HRKU-", "<W36>"),
    ("akamai", "akab-", "[a-z0-9]{16}-[a-z0-9]{16}"),
    ("cloudflare", "cfat_ cfut_ cfk_", "<C40>"),
    ("cloudflare", "v1.0-", "[a-f0-9]{24}-<X100>"),
    ("yandex", "AQVN", "<W35>"),
    ("yandex", "t1.9euel", r"[A-Za-z0-9_\-]{10,}={0,2}\.<W60>"),
    ("fly", "fo1_ fm1a_ fm1r_ fm2_", "<B40>"),
    ("fastly", "fastly_", "<W32>"),
    ("render", "rnd_", "<C28>"),
    ("scaleway", "SCW", "[A-Z0-9]{17}"),
    ("scalingo", "tk-us- tk-eu-", "<W48>"),
    ("openshift", "sha256~", "<W43>"),
    ("clickhouse", "4b1d", "<C38>"),
    # code hosts and builders
    ("github", "ghp_ gho_ ghu_ ghs_ ghr_", r"<W30>(?:\.<W1>){0,8}"),
    ("github", "github_pat_", "<W22>"),
    (
        "gitlab",
        "glpat- gldt- glrt- glcbt- glptt- glft- glsoat- glagent- glffct- glimt- gloas- GR1348941",
        r"<W20>(?:\.[A-Za-z0-9_\-]{2,16}){0,2}",
    ),
    ("gitlab", "_gitlab_session=", "<W20>"),
    ("bitbucket", "BBDC- ATBB ATCTT3", r"<B28>"),
    ("atlassian", "ATATT3 ATSTT3", r"<B28>"),
    ("circleci", "CCIPAT_ CCIPRJ_", r"<C20>_<X40>"),
    ("buildkite", "bkua_ bkaj_", "<X40>"),
    ("codecov", "codecov_", "<W32>"),
    ("sonarqube", "squ_ sqp_ sqa_", "<X40>"),
    ("sourcegraph", "sgp_ sgd_", r"(?:(?:[a-f0-9]{16}|local)_)?<X40>"),
    ("snyk", "snyk_uat. snyk_sat.", "<W20>"),
    ("octopus", "API-", "[A-Z0-9]{26}"),
    ("harness", "pat. sat.", r"<W22>\.<C24>\.<C20>"),
    ("pulumi", "pul-", "<X40>"),
    ("infracost", "ico-", "<C32>"),
    ("prefect", "pnu_ pnb_", "<C36>"),
    ("doppler", "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.", r"[A-Za-z0-9._\-]{40,}"),
    ("vault", "hvs. hvb. hvr.", "<W24>"),
    ("jfrog", "AKCp cmVmdGtuO", "<W55>"),
    ("artifactory", "cmVmd", "<C59>"),
    ("vercel", "vcp_ vck_ vca_ vcr_ vci_ vercel_", "<C24>"),
    ("netlify", "nfp_ nfc_ nfb_ nfo_ nfu_", "<C36>"),
    # packages
    ("npm", "npm_", "<C36>"),
    ("pypi", "pypi-AgE", "<W50>"),
    ("rubygems", "rubygems_", "<X48>"),
    ("clojars", "CLOJARS_", "<C40>"),
    ("nuget", "oy2", "[a-z0-9]{43}"),
    ("docker", "dckr_pat_ dckr_oat_", "<W27>"),
    ("docker", "SWMTKN-1-", "<C40>-<C20>"),
    ("docker", "SWMKEY-1-", "<C40>"),
    ("readme", "rdme_", "<C64>"),
    # chat and mail
    (
        "slack",
        "xoxa- xoxb- xoxc- xoxd- xoxe- xoxo- xoxp- xoxr- xoxs- xoxe. xapp-",
        r"(?:xox[bp]-)?(?:[A-Za-z0-9%]{1,15}-){0,6}[A-Za-z0-9%]{10,400}",
    ),
    ("sendgrid", "SG.", r"<W16>\.<W16>"),
    ("brevo", "xkeysib- xsmtpsib-", "<X64>-<W16>"),
    ("mailgun", "key- pubkey-", "[0-9a-z]{32}"),
    ("nylas", "nyk_v0_ nyk_", "<W64>"),
    # payments and shops
    ("stripe", "sk_live_ sk_test_ sk_prod_ rk_live_ rk_test_ rk_prod_", "<C10>"),
    ("stripe", "whsec_", "<B24>"),
    ("square", "sq0atp- sq0csp- sq0idp- sq0idb-", "<W22>"),
    ("square", "EAAA", "<W50>"),
    ("paypal", "access_token$production$ access_token$sandbox$", r"[0-9a-z]{16}\$<X32>"),
    ("shopify", "shpat_ shpca_ shppa_ shpss_ shptka_", "<X32>"),
    ("flutterwave", "FLWSECK- FLWSECK_TEST- FLWPUBK_TEST-", "<X12>(?:-X)?"),
    ("razorpay", "rzp_live_ rzp_test_", "<C14>"),
    ("easypost", "EZAK EZTK", "<C54>"),
    ("duffel", "duffel_test_ duffel_live_", "<W40>"),
    ("shippo", "shippo_live_ shippo_test_", "<X40>"),
    ("plaid", "access-sandbox- access-development- access-production-", "<U>"),
    ("lob", "live_pub_ test_pub_", "<X31>"),
    # models
    (
        "openai",
        "sk-proj- sk-svcacct- sk-admin- sk-None- sk-or-v1- sk-ant- sk-lf- pk-lf-",
        "<W20>",
    ),
    ("huggingface", "hf_ api_org_", "<C34>"),
    ("groq", "gsk_", "<C24>"),
    ("model-host", "xai- r8_ pplx- tgp_v1_ tvly- llx- cosmo_ nvapi- jina_ fw_ csk-", "<W24>"),
    ("model-host", "lsv2_pt_ lsv2_sk_ lsv2_", "<W32>"),
    ("model-host", "pcsk_ bb_live_ e2b_ apify_api_", "<W24>"),
    ("model-host", "fc-", "<X32>"),
    # watching
    ("newrelic", "NRAK- NRBR- NRII- NRJS- NRAL- NRRA- NRSP-", "<W19>"),
    ("grafana", "glc_ glsa_", "<B32>"),
    ("grafana", "eyJrIjoi", "<B60>"),
    ("sentry", "sntrys_ sntryu_ sntrya_ sntryi_", "<B40>"),
    ("dynatrace", "dt0c01. dt0s01. dt0s02. dt0a01. dt0", r"(?:[a-z]\d\d\.)?[A-Z0-9]{24}\.<C60>"),
    ("posthog", "phx_ phs_ phr_ pha_", "<C40>"),
    ("maxmind", "mmk_", "<C29>"),
    ("honeycomb", "hcaik_ hcbik_ hcxik_ hcamk_", "<C32>"),
    # data
    ("databricks", "dapi dkea dose", "<X32>"),
    ("planetscale", "pscale_tkn_ pscale_oauth_ pscale_pw_", r"[A-Za-z0-9_.=\-]{32,}"),
    ("supabase", "sbp_ sb_secret_", "<W20>"),
    ("airtable", "pat", r"[A-Za-z0-9]{14}\.<X64>"),
    ("contentful", "CFPAT-", "<W43>"),
    ("neon", "napi_", "<C40>"),
    ("mapbox", "sk.eyJ pk.eyJ tk.eyJ", r"<W40>\.<W20>"),
    ("salesforce", "3MVG", r"[0-9A-Za-z_.]{24,}"),
    ("salesforce", "00D", r"[A-Za-z0-9]{12,15}![A-Za-z0-9_.]{40,}"),
    ("hashicorp", "atlasv1.", "<W60>"),
    # work
    ("linear", "lin_api_ lin_oauth_", "<C32>"),
    ("notion", "ntn_", "<W40>"),
    ("notion", "secret_", "<C43>"),
    ("figma", "figd_ figo_ figoh_ figor_ figu_ figuh_ figur_", "<W30>"),
    ("postman", "PMAK-", "<X24>-<X34>"),
    ("postman", "PMAT-", "[A-Z0-9]{26}"),
    ("hubspot", "pat-na1- pat-eu1- pat-na2- pat-ap1- pat-na3-", "<U>"),
    ("typeform", "tfp_", r"<W40>(?:\.<W1>){0,3}"),
    ("1password", "ops_ey", "<B40>"),
    ("1password", "A3-", r"[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}"),
    ("wakatime", "waka_", "<U>"),
    ("riot", "RGAPI-", "<U>"),
    ("tailscale", "tskey-api- tskey-auth- tskey-client- tskey-scim- tskey-webhook-", r"<W20>"),
    ("defined", "dnkey-", r"[A-Za-z0-9=_\-]{26,}"),
    ("frameio", "fio-u-", r"[A-Za-z0-9\-_=]{64,}"),
    ("adobe", "p8e-", "[A-Za-z0-9]{32}"),
    ("intra42", "s-s4t2ud- s-s4t2af-", "<X64>"),
    ("settlemint", "sm_aat_ sm_pat_ sm_sat_", "<C16>"),
    ("authress", "sc_ ext_ scauth_ authress_", r"<C5>\.<C4>\.acc[_\-]<W10>\.<B30>"),
    ("launchdarkly", "api- sdk- mob-", "<U>"),
    ("twilio", "SK AC", "<X32>"),
    ("facebook", "EAA", "<C80>"),
    ("facebook", "IGQVJ IGQW IGAA", "<B80>"),
    ("x", "AAAAAAAAAAAAAAAAAAAAA", "[A-Za-z0-9%]{40,}"),
    ("dropbox", "sl.", r"(?:u\.)?<W77>"),
    ("ntlm", "TlRMTVNTUAA", "<B28>"),
    # more, each of few letters
    ("aikido", "AIK_CI_ AIK_SECRET_", "<C16>"),
    ("alibaba", "STS.", "<C12>"),
    ("asaas", "$aact_prod_ $aact_hmlg_", "<B16>"),
    ("atlassian", "ATATQ", "<B60>"),
    ("brave", "BSA", r"[A-Za-z0-9_\-]{20,30}"),
    ("buildkite", "bkpt_ bkct_ bkrt_ bkat_ bkua_", "<W40>"),
    ("canva", "cnvca", "<W40>"),
    ("circleci", "CCIPAT_", "<C20>_<C40>"),
    ("clickup", "pk_", "[0-9]{6,10}_[0-9A-Za-z]{32}"),
    ("cloudflare", "v1.0-", r"[a-z0-9._\-]{150,}"),
    ("cloudsmith", "csa_", "<C36>"),
    ("cockroach", "CCDB1_", "<W40>"),
    ("configcat", "configcat-sdk-1/", r"[A-Za-z0-9_\-]{22}/<W22>"),
    ("courier", "pk_prod_ dk_prod_ pk_test_ dk_test_", "<C24>"),
    ("cursor", "key_", "<X28>"),
    ("databento", "db-", "<C29>"),
    ("datastax", "AstraCS:", r"[A-Za-z0-9:_\-]{20,}"),
    ("deno", "ddp_ ddo_", "<C36>"),
    ("devcycle", "dvc_server_ dvc_client_ dvc_mobile_", "<W8>"),
    ("devin", "apk_user_ apk_", "<B60>"),
    ("devin", "cog_", "<C48>"),
    ("dynatrace", "dt0c01. dt0s01.", r"<C24>\.<C60>"),
    ("elastic", "essu_", "<B60>"),
    ("elevenlabs", "sk_", "<X48>"),
    ("endor", "endr+", "<C16>"),
    ("exoscale", "EXO", "<W24>"),
    ("figma", "3858-", "<U>"),
    ("fly", "FlyV1", "[ ]<B60>"),
    ("flutterwave", "FLWSECK_TEST- FLWPUBK_TEST- FLWSECK-", "[a-z0-9]{12,32}(?:-X)?"),
    ("google", "AQ.Ab8RN6", "<W40>"),
    ("ionic", "ion_", "<C42>"),
    ("klaviyo", "pk_", "[0-9a-z]{34}"),
    ("lichess", "lip_", "<C16>"),
    ("mailersend", "mlsn.", "<C30>"),
    ("mem0", "m0-", "<C28>"),
    ("mercury", "secret-token:mercury_ mercury_production_", "<W30>"),
    ("mergify", "mergify_application_key_", "<C40>"),
    ("midtrans", "Mid-server- SB-Mid-server-", "<W10>"),
    ("mongodb", "mdb_sa_sk_", "<W40>"),
    ("onesignal", "os_v2_org_ os_v2_app_", "<C60>"),
    ("onfido", "api_live. api_live_us. api_live_ca. api_sandbox.", r"<W11>(?:\.<W16>)?"),
    ("packagist", "packagist_ort_ packagist_out_ packagist_acs_ packagist_ack_", "<X20>"),
    ("persona", "persona_production_ persona_sandbox_", "<C16>"),
    ("pinterest", "pina_", "<W16>"),
    ("polar", "polar_at_ polar_oat_ polar_pat_ polar_rt_", "<W16>"),
    ("posthog", "phc_", "<C40>"),
    ("proof", "prf_", "<C16>"),
    ("ramp", "ramp_sec_ ramp_tok_", "<W36>"),
    ("runpod", "rpa_", "<C30>"),
    ("rootly", "rootly_", "<X64>"),
    ("salesforce", "00N", r"[A-Za-z0-9]{12,15}![A-Za-z0-9_.]{40,}"),
    ("samsara", "samsara_api_", "<C24>"),
    ("segment", "sgp_", "<C60>"),
    ("sendgrid", "SG.", r"[A-Za-z0-9=_.\-]{60,70}"),
    ("slack", "xapp-", r"\d-[A-Z0-9]+-\d+-<C1>"),
    ("thunderstore", "tss_", "<C20>"),
    ("unkey", "unkey_", "<C20>"),
    ("upcloud", "ucat_", "<C24>"),
    ("valtown", "vtwn_", "<C20>"),
    ("voyage", "al-", r"[A-Za-z0-9_\-]{43}"),
    ("wakatime", "waka_", "<C36>"),
    ("wandb", "wandb_v1_", "<W60>"),
    ("woocommerce", "cs_ ck_", "<X40>"),
    ("workato", "wrka-eyJ", r"<W10>\.<W20>\.<W20>"),
    ("xendit", "xnd_production_ xnd_development_", "<C40>"),
    ("zuplo", "zpka_", "<W30>"),
    # keys and tokens of a standard
    ("age", "AGE-SECRET-KEY-1 AGE-PLUGIN-", "[0-9A-Z]{50,}"),
    ("paseto", "v1.local. v2.local. v3.local. v4.local.", r"<W15>(?:\.<W0>)?"),
    ("paseto", "v1.public. v2.public. v3.public. v4.public.", r"<W15>(?:\.<W0>)?"),
    ("paserk", "k1. k2. k3. k4.", r"(?:local|secret)(?:-pw)?\.<W15>"),
    ("bitcoin", "xprv yprv zprv", "[1-9A-HJ-NP-Za-km-z]{100,112}"),
    ("mcp-memory", "mcpm_", "[0-9a-f]{12}_<W43>"),
)  # fmt: skip
"""Family, starts, what follows: enough alone to tell a secret, wherever it stands."""

LOOSE = (
    ("openai", "sk-", "<W20>"),
    ("mandrill", "md-", "<W22>"),
    ("mail", "re_", "[A-Za-z0-9]{8}_[A-Za-z0-9]{24}"),
    ("composio", "ak_ ck_ oak_ uak_", "<W20>"),
    ("gocardless", "live_", "<W40>"),
)
"""The same, where what follows must also look random, because words begin so, too."""

SERVICES = (
    "adafruit adobe airtable algolia alibaba amplitude asana atlassian auth0 beamer bittrex bitbucket "
    "bugsnag cloudinary cloudflare codecov cohere coinbase confluent contentful datadog deepgram "
    "deepl discord droneci dropbox elevenlabs etsy facebook fastly finicity finnhub flickr freshbooks "
    "freshdesk gitter gocardless heroku hubspot intercom ipstack jotform kraken kucoin launchdarkly "
    "linkedin linked_in looker mailchimp mailgun mapbox mattermost meraki messagebird mistral netlify "
    "newrelic new_relic new-relic nytimes okta opsgenie pagerduty paystack pinecone plaid postmark "
    "privateai private_ai pusher rapidapi segment sendbird sentry sidekiq snyk sonar squarespace "
    "sumologic sumo telegram telegr travis twilio twitch twitter typeform yandex zendesk zoom "
    "abuseipdb aikido airbrake aiven assemblyai bitly bitrise browserstack cartesia cerebras circleci civo "
    "clickhouse clickup cloudsmith configcat coveralls databento data.gov devops disqus dockerhub elastic "
    "exoscale fullstory gitea greptile gumroad honeycomb hunter ibm infomaniak instantly jumpcloud kagi "
    "klaviyo larksuite lichess mapbox midtrans minimax miro monday mux ngrok nvidia ollama onesignal "
    "openweather ovh paddle plivo rainforest ramp razorpay replicate retell scaleway snowflake sslmate "
    "stability supabase tableau telnyx temporal togetherai upstage upstash virustotal vultr wakatime "
    "weatherstack weightsandbiases wandb wiz woocommerce xendit xray artifactory zoho "
    "bundle_enterprise__contribsys__com bundle_gems__contribsys__com paypal "
    "todoist pyowm owm auth-key service-key"
)
"""Services whose keys have no letters of their own: told by the name beside them."""
