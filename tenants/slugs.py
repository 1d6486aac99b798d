"""What may be a shop's address: a DNS label that isn't ours, can't pass for ours, and isn't kept for anything else."""

import re
import unicodedata

MIN_LENGTH, MAX_LENGTH = 3, 63
# For the database and for regular expressions elsewhere; `problem_with` says the same in words.
PATTERN = r"^[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]$"

# Hosts that we use or may come to use, names to which mail servers and browsers give a meaning (RFC 2142, WPAD, ACME),
# and words under which a stranger could pass for us.
RESERVED = frozenset(
    """
    about abuse accessibility account accounts acme ad admin administrator ads affiliate affiliates analytics
    android announcements answers api apis app apps archive assets auth authentication autoconfig autodiscover
    backup backups beta billing blog bounce bounces bricklink brickowl bricqer brikick broadcasthost cache
    calendar callback careers catalog cdn certificate certificates changelog channels chat checkout ci client
    cloud code community compliance config connect console contact content control cookies copyright core cpanel
    customer customers dashboard data database db debug default dev developer developers devs dns doc docs
    documentation domain domains download downloads drive ebay editor email embed enterprise error errors etsy
    events example extension extensions faq feed feedback feeds file files forum forums ftp ftps gateway git
    github gitlab grafana graphql guide guides health hello help helpdesk home host hosting hostmaster hosts
    http https id identity image images imap img inbox info infra ingest install integration integrations
    internal intranet invite invoice invoices ios ipv4 ipv6 isatap jobs kb kibana knowledge label labels ldap
    learn legal lego list lists live localdomain localhost log login logout logs lost mail mailer mailer-daemon
    mailing-list mails main manage manager marketing marketplace master me media members message messages
    metrics mirror mobile monitor monitoring mta mx my name nameserver net network new news newsletter no-reply
    nobody noc noreply notifications null oauth office old openid operator ops order orders origin owner pages
    partner partners password pay payment payments paypal photos pop pop3 portal postgres postmaster preview
    price pricing privacy private prod production profile prometheus proxy public qa queue redis register
    registration registry relay remote report reports root rss sale sales sandbox sdk search secure security
    server servers service services session settings setup shared shipping shop shopify shops sign-in sign-out
    sign-up signin signout signup site sitemap sites smtp smtps socket source sql ssh ssl sso staff stage
    staging start stat static statistics stats status storage store stores stripe subdomain support sync
    sysadmin sysadmins system tenant tenant-template tenants terms test testing tests tls token tools track
    tracking traefik trust uat undefined unsubscribe update updates upgrade upload uploads usenet user username
    users uucp verify version video videos vpn web webdav webhook webhooks webmail webmaster website websocket
    welcome wiki worker workers wpad ww www www1 www2 wwww xml xmpp you your
    """.split()  # noqa: SIM905  # two hundred words are read more easily without their quotes
)

_OURS = "brikonnect"
# What looks alike: each writing is read as the right-hand one before it is compared with our name.
_LOOK_ALIKE = (
    ("rn", "m"),
    ("vv", "w"),
    ("ck", "k"),
    ("c", "k"),
    ("0", "o"),
    ("1", "i"),
    ("l", "i"),
    ("5", "s"),
    ("-", ""),
)
_NEAR = 1


def _read(text: str) -> str:
    for writing, meaning in _LOOK_ALIKE:
        text = text.replace(writing, meaning)
    # Doubled letters are easily overread.
    return re.sub(r"(.)\1+", r"\1", text)


def _distance(left: str, right: str) -> int:
    """Answer how many letters must be put in, taken out or changed to make one of the other."""
    row = list(range(len(right) + 1))
    for at, letter in enumerate(left, start=1):
        diagonal, row[0] = row[0], at
        for place, other in enumerate(right, start=1):
            diagonal, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, diagonal + (letter != other))
    return row[-1]


def _passes_for_ours(slug: str) -> bool:
    """Tell whether the address has our name in it, or as a whole is easily misread as it."""
    return _OURS in slug.replace("-", "") or _distance(_read(_OURS), _read(slug)) <= _NEAR


def problem_with(slug: str) -> str:
    """Answer in words what is wrong with an address, or nothing. Whether it is taken is another question."""
    if len(slug) < MIN_LENGTH:
        return f"Use at least {MIN_LENGTH} characters."
    if len(slug) > MAX_LENGTH:
        return f"Use at most {MAX_LENGTH} characters."
    if not re.fullmatch(r"[a-z0-9-]+", slug):
        return "Use letters a to z, digits and hyphens."
    if slug.startswith("-") or slug.endswith("-"):
        return "Begin and end with a letter or a digit."
    if slug[2:4] == "--":
        return "The third and fourth character can't both be hyphens."
    if slug in RESERVED or slug.replace("-", "") in RESERVED or _passes_for_ours(slug):
        return "This address is kept for Brikonnect itself."
    return ""


def normalized(text: str) -> str:
    """Answer what somebody typed as an address in the form in which addresses are compared."""
    return text.strip().lower()


def suggestion(name: str) -> str:
    """Answer an address made of a shop's name; empty where nothing is left of it."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    label = re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")[:MAX_LENGTH].strip("-")
    return "" if problem_with(label) else label
