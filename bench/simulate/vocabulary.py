"""Words to name systems with, from many trades so that no rule can know them."""

DOMAINS: dict[str, tuple[str, ...]] = {
    "bank": ("accounts", "ledger", "transfers", "limits", "kyc", "cards", "fx-rates", "statements", "scoring", "vault",
             "sessions", "notifications", "disputes", "treasury", "mandates"),
    "travel": ("flights", "hotels", "fares", "seats", "bookings", "loyalty", "geo", "weather", "visa", "itinerary",
               "availability", "baggage", "partners", "invoices", "vouchers"),
    "video": ("playback", "titles", "profiles", "licenses", "transcoder", "thumbnails", "subtitles", "watchlist",
              "ads", "recommender", "heartbeat", "entitlements", "search-index", "origin", "ratings"),
    "health": ("patients", "appointments", "records", "lab-results", "pharmacy", "claims", "consent", "imaging",
               "wards", "triage", "practitioners", "billing", "reminders", "directory", "audit"),
    "iot": ("devices", "telemetry", "firmware", "rules", "alarms", "twins", "provisioning", "metering", "tariffs",
            "fleet", "commands", "gateways", "forecast", "archive", "certificates"),
    "games": ("lobby", "matchmaker", "inventory", "leaderboard", "chat", "store-front", "quests", "friends", "parties",
              "wallet", "anti-cheat", "replays", "seasons", "guilds", "presence"),
    "logistics": ("orders", "parcels", "routes", "drivers", "depots", "tracking", "labels", "customs", "pricing",
                  "capacity", "manifests", "returns", "addresses", "slots", "dispatch"),
    "learning": ("courses", "enrolments", "quizzes", "grades", "lessons", "certificates-api", "forum", "calendar",
                 "media", "plagiarism", "teachers", "classrooms", "payments", "library", "surveys"),
}  # fmt: skip
NOUNS = (
    "items", "summary", "details", "history", "quotes", "rates", "options", "status", "events", "lines", "documents",
    "members", "plans", "prices", "tokens", "batches", "offers", "reports", "regions", "schedules", "tickets",
)  # fmt: skip
VERBS = ("get", "list", "find", "resolve", "create", "update", "validate", "reserve", "compute", "render", "sync")
INNER = ("serialize", "validate", "authorize", "render", "merge results", "map entities", "load config", "decrypt",
         "evaluate rules", "build response", "parse payload", "rank", "deduplicate", "middleware - auth")  # fmt: skip
COLUMNS = ("id", "name", "state", "owner_id", "amount", "created_at", "kind", "region")
THIRD_PARTIES = ("api.paywise.example", "maps.geodesy.example", "sms.textio.example", "identity.oidc.example",
                 "mail.postbird.example", "tax.vatcheck.example", "rates.forexa.example")  # fmt: skip
ZONES = ("eu-west-1a", "eu-west-1b", "eu-west-1c")
LETTERS = "bcdfghjklmnpqrstvwxz2456789"
LANGUAGES = ("java", "go", "python", "nodejs", "dotnet", "ruby", "rust", "php")
