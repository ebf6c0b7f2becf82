"""The tables of leads in an SQLite file, with what the file itself keeps up to date in them.

That is done by triggers: they also see what an earlier release writes.
"""

from warmlead.sqlite_file import Column, Missing
from warmlead.stores.codec import LONG_AGO

_CONDITIONS = "stage, grade, source, owner, overdue"

_FORGET_WORDS = """DELETE FROM lead_words WHERE lead_id = OLD.id
           AND word IN (SELECT value FROM json_each(OLD.words));"""
_LEARN_WORDS = """INSERT OR IGNORE INTO lead_words (word, lead_id)
           SELECT value, NEW.id FROM json_each(NEW.words);"""

_OF_WORDS = (
    """CREATE TABLE IF NOT EXISTS lead_words (
         word TEXT NOT NULL,
         lead_id TEXT NOT NULL,
         PRIMARY KEY (word, lead_id)) WITHOUT ROWID""",
    f"""CREATE TRIGGER IF NOT EXISTS words_of_new_lead AFTER INSERT ON leads
         WHEN NEW.words IS NOT NULL BEGIN {_LEARN_WORDS} END""",
    f"""CREATE TRIGGER IF NOT EXISTS words_changed AFTER UPDATE OF words ON leads
         WHEN OLD.words IS NOT NEW.words BEGIN {_FORGET_WORDS} {_LEARN_WORDS} END""",
    f"""CREATE TRIGGER IF NOT EXISTS words_of_gone_lead AFTER DELETE ON leads
         WHEN OLD.words IS NOT NULL BEGIN {_FORGET_WORDS} END""",
)
"""The words of leads, one by one, as the column ``words`` has them together."""

_IS_COUNTED = "EXISTS (SELECT 1 FROM stage_counts)"
_ONE_MORE = """INSERT INTO stage_counts (stage, leads) VALUES (NEW.stage, 1)
           ON CONFLICT (stage) DO UPDATE SET leads = leads + 1;"""
_ONE_LESS = "UPDATE stage_counts SET leads = leads - 1 WHERE stage = OLD.stage;"

_OF_STAGES = (
    """CREATE TABLE IF NOT EXISTS stage_counts (
         stage TEXT NOT NULL PRIMARY KEY,
         leads INTEGER NOT NULL) WITHOUT ROWID""",
    f"""CREATE TRIGGER IF NOT EXISTS stage_of_new_lead AFTER INSERT ON leads
         WHEN {_IS_COUNTED} BEGIN {_ONE_MORE} END""",
    f"""CREATE TRIGGER IF NOT EXISTS stage_changed AFTER UPDATE OF stage ON leads
         WHEN OLD.stage IS NOT NEW.stage AND {_IS_COUNTED} BEGIN {_ONE_LESS} {_ONE_MORE} END""",
    f"""CREATE TRIGGER IF NOT EXISTS stage_of_gone_lead AFTER DELETE ON leads
         WHEN {_IS_COUNTED} BEGIN {_ONE_LESS} END""",
    # All leads at once, and only then the triggers count: no write can come in between.
    Missing(
        f"SELECT NOT {_IS_COUNTED}",
        f"""INSERT INTO stage_counts (stage, leads)
           SELECT * FROM (SELECT '', 0 UNION ALL SELECT stage, count(*) FROM leads GROUP BY stage)
           WHERE NOT {_IS_COUNTED}""",  # noqa: S608  # constants
    ),
)
"""How many leads are in each stage; a row of no stage says that they were counted."""

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS leads (
         id TEXT NOT NULL PRIMARY KEY,
         stage TEXT NOT NULL,
         score INTEGER,
         unsent INTEGER NOT NULL,
         updated_ms INTEGER NOT NULL,
         document TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS leads_unsent ON leads (id) WHERE unsent",
    # Older leads are all due, because they have no review day yet.
    Column("leads", "decay_on", f"INTEGER DEFAULT {LONG_AGO}"),
    Column("leads", "due_us", "INTEGER"),
    "CREATE INDEX IF NOT EXISTS leads_fading ON leads (decay_on, id) WHERE decay_on IS NOT NULL",
    # What lists ask for; leads of earlier releases get theirs when they are next written.
    Column("leads", "since_day", "INTEGER"),
    Column("leads", "grade", "TEXT"),
    Column("leads", "source", "TEXT"),
    Column("leads", "owner", "TEXT"),
    Column("leads", "overdue", "INTEGER"),
    # With all conditions in them, so that no row is read that a list does not show.
    f"CREATE INDEX IF NOT EXISTS leads_listed_by_score ON leads (score, id, {_CONDITIONS})",
    f"CREATE INDEX IF NOT EXISTS leads_listed_by_since ON leads (since_day, id, {_CONDITIONS})",
    Column("leads", "active", "INTEGER"),
    Column("leads", "words", "TEXT"),
    f"CREATE INDEX IF NOT EXISTS leads_listed_by_active ON leads (active, id, {_CONDITIONS})",
    "CREATE INDEX IF NOT EXISTS leads_unlisted ON leads (id) WHERE active IS NULL",
    "CREATE INDEX IF NOT EXISTS leads_listed_overdue ON leads (score, id) WHERE overdue",
    "DROP INDEX IF EXISTS leads_overdue",
    "DROP INDEX IF EXISTS leads_by_score",
    "DROP INDEX IF EXISTS leads_by_stage",
    "CREATE INDEX IF NOT EXISTS leads_due ON leads (due_us, id) WHERE due_us IS NOT NULL",
    """CREATE TABLE IF NOT EXISTS aliases (
         id TEXT NOT NULL PRIMARY KEY,
         lead_id TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS tombstones (
         id TEXT NOT NULL PRIMARY KEY,
         erased_ms INTEGER NOT NULL) WITHOUT ROWID""",
    Column("tombstones", "ids", "TEXT NOT NULL DEFAULT '[]'"),
    """CREATE TABLE IF NOT EXISTS transitions (
         number INTEGER PRIMARY KEY,
         lead_id TEXT NOT NULL,
         record TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS transitions_of_lead ON transitions (lead_id)",
    """CREATE TABLE IF NOT EXISTS nurture (
         number INTEGER PRIMARY KEY,
         lead_id TEXT NOT NULL,
         at_us INTEGER NOT NULL,
         record TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS nurture_of_lead ON nurture (lead_id)",
    "CREATE INDEX IF NOT EXISTS nurture_by_time ON nurture (at_us, number)",
    # Earlier releases do not know this table. What they erase goes from it all the same.
    """CREATE TRIGGER IF NOT EXISTS nurture_erased AFTER INSERT ON tombstones
         BEGIN DELETE FROM nurture WHERE lead_id = NEW.id; END""",
    """CREATE TRIGGER IF NOT EXISTS nurture_erased_again AFTER UPDATE ON tombstones
         BEGIN DELETE FROM nurture WHERE lead_id = NEW.id; END""",
    *_OF_WORDS,
    *_OF_STAGES,
)
