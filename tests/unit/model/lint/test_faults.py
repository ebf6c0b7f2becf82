"""Broken models: every fault is found where it is. The sign » marks the place of each."""

from textwrap import dedent

import pytest

from warmlead.domain.errors import ConfigurationError
from warmlead.model.document import Finding, Severity
from warmlead.model.loading import check, load
from warmlead.model.vocabulary import STANDARD_EVENTS

# A small sound model, in the manner of a real one; each broken model is this with one change.
SOUND = """\
signals:
  visited: {on: page_viewed, points: 2, per_day: 5, half_life: 30d, group: web}
  downloaded: {on: content_downloaded, points: 20, per_day: 2, half_life: 60d}
groups:
  web: {max: 40}
fit:
  mid_market: {when: employees >= 50, points: 15}
stages:
  mql:
    enter: score >= 50 && fit >= 10
    leave: score < 35
    cooldown: 30d
handoff:
  first_touch_within: 1h
  accept_within: 24h
  routes:
    - {when: country == "US", owners: [ann, bob]}
    - {owner: sales}
sequences:
  education:
    start: stage == "mql"
    stop: stage == "sql"
    goal: downloaded
    hours: {days: mon-fri, from: "09:00", to: "17:00", time_zone: Europe/Berlin}
    again_after: 90d
    steps:
      - {after: 0d, message: welcome}
      - {after: 3d, message: case-study}
"""
MARK = "»"

VISITED = "visited: {on: page_viewed, points: 2, per_day: 5, half_life: 30d, group: web}"
FIT = "mid_market: {when: employees >= 50, points: 15}"
ENTER = "enter: score >= 50 && fit >= 10"
FIT_TO_ENTER = SOUND[SOUND.index("stages:") : SOUND.index("handoff:")].rstrip("\n")
STEPS = """\
    steps:
      - {after: 0d, message: welcome}
      - {after: 3d, message: case-study}
"""

TOUCH = "first_touch_within: 1h"
ROUTE = '{when: country == "US", owners: [ann, bob]}'
GOAL = "goal: downloaded"
HOURS = 'hours: {days: mon-fri, from: "09:00", to: "17:00", time_zone: Europe/Berlin}'
FIFTY = list(enumerate(sorted(STANDARD_EVENTS)[:50]))

# (what is broken, text of SOUND, text that takes its place, fragment of the message, suggestion)
BROKEN = [
    ("yaml syntax", VISITED, "visited: {on: *», points: 2}", "not readable as YAML", ""),
    ("open bracket", VISITED, VISITED[:-1], "expected ',' or '}'", "group: web} for "),
    (
        "bracket without quotes",
        "visited: {on: page_viewed,",
        'visited: {on: page_viewed, when: »path in ["/a", "/b"],',
        'has a "[" must be in quotes',
        """write 'path in ["/a", "/b"]'""",
    ),
    ("indentation", FIT, FIT + "\n   »stray: 1", "not readable as YAML", ""),
    ("tab", FIT, FIT + "\n»\tmore: {}", "not readable as YAML", "indent with spaces"),
    ("anchor", "{max: 40}", "»&a {max: 40}", "anchors and aliases are not allowed", ""),
    ("tag", "points: 15", 'points: »!!python/name:os.system ""', "tags are not allowed", ""),
    (
        "duplicate key",
        FIT,
        f"{FIT}\n  »{FIT}",
        'the key "mid_market" was given before, on line 7',
        "",
    ),
    ("unknown section", "groups:", "»gruops:", 'unknown key "gruops"', 'did you mean "groups"?'),
    ("unknown section that matters", "signals:", "»signal:", "unknown key", 'mean "signals"?'),
    (
        "unknown key",
        "half_life: 30d",
        "»halflife: 30d",
        'unknown key "halflife"',
        'did you mean "half_life"?',
    ),
    (
        "comma that ends a text",
        "points: 15}",
        "points: 15, title: over 50, »000 people}",
        'unknown key "000 people"',
        "quote text that has a comma",
    ),
    ("missing key", FIT, "»mid_market: {when: employees >= 50}", '"points" is missing', ""),
    ("missing on", VISITED, "»visited: {points: 2, half_life: 30d}", '"on" is missing', ""),
    ("text for a number", "points: 15", 'points: »"15"', "whole number", "write 15 without quotes"),
    ("fraction", "points: 15", "points: »1.5", "must be a whole number", ""),
    ("boolean for a number", "points: 15", "points: »true", "must be a whole number", ""),
    ("list for a mapping", FIT, "mid_market: »[employees]", "must be a mapping", ""),
    ("text for a list", STEPS, "    steps: »welcome\n", "must be a list", ""),
    ("empty list", "on: page_viewed", "on: »[]", "must not be empty", ""),
    (
        "event name",
        "on: page_viewed",
        "on: »Page Viewed",
        "is not a valid name",
        'write "page_viewed"',
    ),
    (
        "event name in a list",
        "on: page_viewed",
        "on: [page_viewed, »pageLeft]",
        "is not a valid name",
        'write "page_left"',
    ),
    (
        "signal name",
        VISITED,
        "»" + VISITED.replace("visited", "Has-Visited"),
        "not a valid name",
        "write has_visited for Has-Visited",
    ),
    ("bare duration", "half_life: 30d", "half_life: »30", "a duration is", "write 30d"),
    ("duration's unit", "half_life: 30d", "half_life: »4w", "a duration is a whole number", ""),
    ("zero duration", "half_life: 30d", "half_life: »0d", "longer than 0", ""),
    ("broken days", "half_life: 30d", "expires_after: »36h", "must be whole days", ""),
    (
        "percentage",
        "fit:",
        "inactivity: {after: 14d, lose: »10, every: 7d}\nfit:",
        "a share is a percentage",
        "",
    ),
    (
        "percentage over 100",
        "fit:",
        "inactivity: {after: 14d, lose: »101%, every: 7d}\nfit:",
        "%",
        "",
    ),
    ("points out of range", "points: 15", "points: »1001", "must be at most 1000", ""),
    ("points below range", "points: 15", "points: »-1001", "must be at least -1000", ""),
    ("per_day over 20", "per_day: 5", "per_day: »21", "must be at most 20", ""),
    ("per_day of 0", "per_day: 5", "per_day: »0", "must be at least 1", ""),
    (
        "two ways to fade",
        "half_life: 30d",
        "half_life: 30d, »expires_after: 90d",
        "half_life and expires_after exclude each other",
        "keep one",
    ),
    (
        "fades and never does",
        "half_life: 30d",
        "half_life: 30d, »decay: never",
        "half_life and decay exclude each other",
        "",
    ),
    ("decay", "half_life: 30d", "decay: »nevr", 'must be "never"', 'did you mean "never"?'),
    ("trust", "per_day: 5", "trust: »public, per_day: 5", 'must be "signed"', ""),
    (
        "unknown group",
        "group: web",
        "group: »wbe",
        'there is no group "wbe"',
        'did you mean "web"?',
    ),
    (
        "suppression unknown",
        FIT,
        FIT + "\nsuppression: {»bounced: signed}",
        'unknown key "bounced"',
        "",
    ),
    (
        "suppression by nobody",
        FIT,
        FIT + "\nsuppression: {unsubscribed: »never}",
        'must be "anyone" or "signed"',
        "",
    ),
    (
        "suppression lifted by whom",
        FIT,
        FIT + "\nsuppression: {resubscribed: »equals}",
        'must be "equal", "anyone" or "signed"',
        'did you mean "equal"?',
    ),
    (
        "soft bounces in words",
        FIT,
        FIT + "\nsuppression: {soft_bounces: »never}",
        "must be a whole number",
        "",
    ),
    (
        "too many soft bounces",
        FIT,
        FIT + "\nsuppression: {soft_bounces: »21}",
        "must be at most 20",
        "",
    ),
    (
        "suppression no mapping",
        FIT,
        FIT + "\nsuppression: »signed",
        "must be a mapping of keys to values",
        "",
    ),
    (
        "signal named like a fact about mail",
        "visited:",
        "»suppressed:",
        "is a fact about every lead",
        "",
    ),
    ("group's min above 0", "{max: 40}", "{min: »5, max: 40}", "must be at most 0", ""),
    ("group's max below 0", "{max: 40}", "{max: »-1}", "must be at least 0", ""),
    (
        "empty group",
        "{max: 40}",
        "{max: 40}\n  »mail: {max: 5}",
        'no signal is in the group "mail"',
        "",
    ),
    (
        "overlapping limits",
        VISITED,
        "»visited: {on: page_viewed, points: 9, per_day: 5, half_life: 30d, group: web}",
        "9 points × 5 a day is 45, beyond the max 40 of its group web",
        "write per_day: 4",
    ),
    ("CEL syntax", "employees >= 50", "employees >= »&& 50", "not readable as CEL", ""),
    ("CEL ends early", "employees >= 50", "employees >=»", "unexpected the end", ""),
    (
        "single =",
        "employees >= 50",
        "employees »= 50",
        "not readable as CEL",
        "write == for =",
    ),
    ("the word and", "employees >= 50", 'industry == "x" »and consent', "CEL", "write && for and"),
    ("unknown trait", "employees >= 50", "»employes >= 50", "unknown name", 'mean "employees"?'),
    (
        "unknown count",
        ENTER,
        "enter: score >= 50 && »last_30d.visted >= 1",
        'there is no signal or event "visted"',
        'did you mean "last_30d.visited"?',
    ),
    (
        "unknown window",
        ENTER,
        "enter: »last_401d.visited >= 1",
        'no window "last_401d"',
        "last_400d.visited",
    ),
    (
        "unknown count of days",
        ENTER,
        "enter: score >= 50 && »days_14d.visted >= 1",
        'there is no signal or event "visted"',
        'did you mean "days_14d.visited"?',
    ),
    (
        "momentum of too long",
        ENTER,
        "enter: »momentum_101d.visited >= 200",
        'no window "momentum_101d"',
        "momentum_100d.visited",
    ),
    (
        "visits of too long",
        ENTER,
        "enter: »visits_401d.visited >= 2",
        'no window "visits_401d"',
        "visits_400d.visited",
    ),
    ("visits alone", ENTER, "enter: »visits_7d >= 2", "needs a signal or an event", ""),
    (
        "more visits than fit into a day",
        ENTER,
        "enter: »visits_1d.visited >= 49",
        "visits_1d.visited is at most 48",
        "",
    ),
    (
        "different values of nothing",
        ENTER,
        "enter: »distinct_7d.visited >= 2",
        "needs a property",
        'did you mean "distinct_7d.visited.path"?',
    ),
    (
        "a property of no event",
        ENTER,
        "enter: »distinct_7d.path >= 2",
        "needs a signal or an event",
        'did you mean "distinct_7d.page_viewed.path"?',
    ),
    (
        "unknown property",
        ENTER,
        "enter: »distinct_7d.visited.pth >= 2",
        'there is no property "pth"',
        'did you mean "distinct_7d.visited.path"?',
    ),
    (
        "a property of one's own",
        ENTER,
        "enter: »sum_7d.visited.litres_of_oil >= 2",
        'there is no property "litres_of_oil"',
        "declare it: properties: {litres_of_oil: number}",
    ),
    (
        "a sum of texts",
        ENTER,
        "enter: »sum_7d.visited.path >= 2",
        '"path" is of type string, and only numbers add up',
        'did you mean "distinct_7d.visited.path"?',
    ),
    (
        "a measure in a fit rule",
        "employees >= 50",
        "»visits_7d.visited >= 2",
        '"visits_7d.visited" is a count, which cannot be named here',
        "",
    ),
    (
        "the latest of nothing",
        ENTER,
        'enter: »latest.visited == "x"',
        "needs a property",
        'did you mean "latest.visited.topic"?',
    ),
    (
        "the latest of an unknown event",
        ENTER,
        'enter: »latest.vsited.path == "x"',
        'there is no signal or event "vsited"',
        'did you mean "latest.visited.path"?',
    ),
    (
        "a past value of an unknown trait",
        ENTER,
        "enter: »before_30d.emploees < 50",
        'there is no trait "emploees"',
        'did you mean "before_30d.employees"?',
    ),
    (
        "too long ago",
        ENTER,
        "enter: »before_401d.employees < 50",
        'no window "before_401d"',
        "before_400d.employees",
    ),
    ("the past of nothing", ENTER, "enter: »before_30d < 50", "needs a trait", ""),
    (
        "a past value that follows from another",
        ENTER,
        'enter: »before_30d.title_level == "decides"',
        'of "title_level" no past values are kept',
        "",
    ),
    (
        "the past in a fit rule",
        "employees >= 50",
        "»before_30d.employees >= 50",
        '"before_30d.employees" is of the past, which cannot be named here',
        "",
    ),
    ("no window", ENTER, "enter: »last_0d.visited > 0", 'no window "last_0d"', "last_1d.visited"),
    (
        "more days than there are",
        ENTER,
        "enter: »days_7d.visited >= 8",
        "days_7d.visited is at most 7",
        "",
    ),
    (
        "more days than events",
        ENTER,
        "enter: »days_7d.visited >= 5 && last_30d.visited < 5",
        "its parts exclude each other",
        "",
    ),
    (
        "score in a bonus",
        FIT,
        FIT + "\nbonuses:\n  warm: {when: »score >= 10, points: 5}",
        '"score" is what bonuses add to, which cannot be named here',
        "",
    ),
    (
        "stage in a bonus",
        FIT,
        FIT + '\nbonuses:\n  warm: {when: »stage == "mql", points: 5}',
        '"stage" is what follows from the score',
        "",
    ),
    (
        "unknown count in a bonus",
        FIT,
        FIT + "\nbonuses:\n  warm: {when: »days_30d.visted >= 3, points: 5}",
        'no signal or event "visted"',
        'did you mean "days_30d.visited"?',
    ),
    (
        "bonus out of reach",
        FIT,
        FIT + "\nbonuses:\n  warm: {when: »days_7d.visited >= 8, points: 5}",
        "can never hold: no lead gets these points",
        "",
    ),
    (
        "bonus without points",
        FIT,
        FIT + "\nbonuses:\n  »warm: {when: visited}",
        '"points" is missing',
        "",
    ),
    (
        "name of a bonus",
        FIT,
        FIT + "\nbonuses:\n  »Warm Lead: {when: visited, points: 5}",
        "is not a valid name",
        "write warm_lead for Warm Lead",
    ),
    (
        "unknown grade",
        FIT_TO_ENTER,
        FIT_TO_ENTER.replace("fit >= 10", 'grade == "»E"') + "\ngrades: {A: 15, B: 0}",
        'there is no grade "E"',
        "the grades are A, B",
    ),
    (
        "grade in small letters",
        FIT_TO_ENTER,
        FIT_TO_ENTER.replace("fit >= 10", 'grade in ["A", "»b"]') + "\ngrades: {A: 15, B: 0}",
        'there is no grade "b"',
        'did you mean "B"?',
    ),
    ("grade without grades", "fit >= 10", '»grade == "A"', "only of models with grades", ""),
    ("grade twice", FIT, FIT + "\ngrades: {A: 10, B: »10}", "takes as many points as A", "own"),
    ("no grade", FIT, FIT + "\ngrades: {A: 15, »1st: 0}", '"1st" is not a grade', "write A"),
    ("grade in words", FIT, FIT + "\ngrades: {A: »high}", "must be a whole number", ""),
    (
        "grade as a trait",
        FIT,
        FIT + "\ntraits: {»grade: string}\ngrades: {A: 15, B: 0}",
        '"grade" is a fact about every lead',
        "",
    ),
    (
        "unknown channel",
        "employees >= 50",
        'first.channel == "»paid search"',
        'there is no channel "paid search"',
        "write Paid Search for paid search",
    ),
    (
        "channel in the words of HubSpot",
        "employees >= 50",
        'first.channel == "»AI_REFERRALS"',
        'there is no channel "AI_REFERRALS"',
        "write AI Assistant for AI_REFERRALS",
    ),
    (
        "channel of nowhere",
        ENTER,
        'enter: score >= 50 && last.channel in ["Referral", "»Skywriting"]',
        'there is no channel "Skywriting"',
        "the channels are Direct,",
    ),
    (
        "source in capitals",
        ENTER,
        'enter: score >= 50 && last.source == "»Google"',
        'so it never equals "Google"',
        "write google for Google",
    ),
    (
        "unknown fact of the origin",
        ENTER,
        'enter: score >= 50 && »first.chanel == "Referral"',
        'unknown name "first.chanel"',
        'did you mean "first.channel"?',
    ),
    (
        "origin in a signal",
        VISITED,
        VISITED.replace("points", "when: »last.campaign == 'x', points"),
        "",
        "",
    ),
    ("base in words", FIT, FIT + "\nbase: »twenty", "must be a whole number", ""),
    (
        "floor above zero",
        FIT,
        FIT + "\nfloor: »10",
        "from -100000 to 0, or none",
        "write none",
    ),
    ("floor in words", FIT, FIT + "\nfloor: »never", "to 0, or none", "write none"),
    ("once never", "per_day: 5,", "max_count: »0,", "at least 1", ""),
    (
        "score below the floor",
        "leave: score < 35",
        "leave: »score < -1",
        "can never hold",
        "",
    ),
    ("half a count", ENTER, "enter: »last_30d >= 1", "needs a signal or an event", ""),
    ("signal in fit", "employees >= 50", "»visited", '"visited" is a signal', ""),
    ("score in fit", "employees >= 50", "»score > 3", '"score" is a fact about a lead', ""),
    ("count in fit", "employees >= 50", "»last_30d.visited > 3", "is a count", ""),
    (
        "trait in a signal",
        "per_day: 5",
        "when: »employees > 3, per_day: 5",
        "is a trait",
        "let a bonus or a stage ask this",
    ),
    (
        "origin in a signal",
        "per_day: 5",
        'when: »utm_source == "x", per_day: 5',
        '"utm_source" is a fact about a lead',
        "let a bonus or a stage ask this",
    ),
    ("several scores", "fit:", "»scores: {a: 1}\nfit:", 'unknown key "scores"', "has one score"),
    (
        "thresholds",
        "fit:",
        "»thresholds: {mql: 50}\nfit:",
        'unknown key "thresholds"',
        "enter: score >= 50",
    ),
    (
        "grade without grades",
        ENTER,
        'enter: »grade == "A"',
        "only of models with grades",
        "add a section: grades: {A: 40",
    ),
    (
        "property in a stage",
        ENTER,
        'enter: »path == "/"',
        "is a property of events",
        "make a signal of it: when: path",
    ),
    (
        "number in quotes",
        "employees >= 50",
        'employees »>= "50"',
        "`>=` does not work on integer and string",
        'write >= 50 for >= "50"',
    ),
    (
        "text without quotes",
        "employees >= 50",
        "country »== 49",
        "string and integer",
        'write == "49"',
    ),
    (
        "whole number for a number",
        "per_day: 5",
        "per_day: 5, when: price »> 5",
        "`>`",
        "write > 5.0 for > 5",
    ),
    ("not true or false", "employees >= 50", "»employees + 1", "this is of type integer", ""),
    (
        "unknown function",
        "employees >= 50",
        'industry.»startWith("x")',
        'no function "startWith"',
        'did you mean "startsWith"?',
    ),
    ("regular expression", "employees >= 50", 'title.matches(»"(vp")', "does not compile", ""),
    ("signal like a trait", VISITED, "»" + VISITED.replace("visited", "company"), "is a trait", ""),
    ("signal like a fact", VISITED, "»" + VISITED.replace("visited", "score"), "is a fact", ""),
    (
        "signal like another event",
        VISITED,
        "»" + VISITED.replace("visited", "email_opened"),
        "its counts would be ambiguous",
        "rename",
    ),
    (
        "signal like its event with a condition",
        VISITED,
        "»"
        + VISITED.replace("visited", "page_viewed").replace("per_day", "when: path == '', per_day"),
        '"page_viewed" is an event too',
        "rename the signal",
    ),
    ("trait with CEL's word", "fit:", "traits: {»type: string}\nfit:", "a word of CEL itself", ""),
    ("trait like a fact", "fit:", "traits: {»stage: string}\nfit:", "a fact about every lead", ""),
    ("derived trait", "fit:", "traits: {»free_mailbox: string}\nfit:", "lead's address", ""),
    ("level", "fit:", "traits: {»title_level: string}\nfit:", "lead's title", ""),
    ("trait's type", "fit:", "traits: {budget: »int}\nfit:", "must be", 'did you mean "integer"?'),
    (
        "hidden property",
        "fit:",
        "properties: {»source: string}\nfit:",
        "the event's own source",
        "",
    ),
    (
        "bypass",
        ENTER,
        ENTER + "\n    bypass: [visited, »dowloaded]",
        'there is no signal "dowloaded"',
        'did you mean "downloaded"?',
    ),
    (
        "built-in stage",
        "stages:",
        "stages:\n  »customer: {enter: visited, leave: score < 1}",
        "every model",
        "",
    ),
    (
        "sql with a way out",
        "stages:",
        "stages:\n  sql: {enter: visited, »leave: score < 1}",
        "until sales has decided",
        "leave it out",
    ),
    (
        "alert of nothing",
        "stages:",
        "alerts:\n  »hot: {again_after: 1h}\nstages:",
        "says nothing of what it is for",
        "add on:",
    ),
    (
        "alert of an unknown signal",
        "stages:",
        "alerts:\n  hot: {on: [visited, »dowloaded]}\nstages:",
        'there is no signal "dowloaded"',
        'did you mean "downloaded"?',
    ),
    (
        "alert of an event",
        "stages:",
        "alerts:\n  hot: {on: »email_replied}\nstages:",
        "an alert names signals",
        "add to signals: email_replied: {on: email_replied, points: 0, decay: never}",
    ),
    (
        "alert in an unknown stage",
        "stages:",
        "alerts:\n  hot: {on: visited, stages: [mql, »costumer]}\nstages:",
        'there is no stage "costumer"',
        'did you mean "customer"?',
    ),
    (
        "alert of nobody known",
        "stages:",
        "alerts:\n  hot: {on: visited, stages: [»anonymous]}\nstages:",
        "an anonymous lead causes no alert",
        "leave it out",
    ),
    (
        "alert that never comes",
        "stages:",
        "alerts:\n  hot: {on: visited, when: »fit >= 16}\nstages:",
        "there would be no alert",
        "",
    ),
    (
        "alert for other stages",
        "stages:",
        "alerts:\n  hot: {when: »'stage == \"sql\"', stages: [mql]}\nstages:",
        "it is for leads in other stages",
        "",
    ),
    (
        "alert without rest",
        "stages:",
        "alerts:\n  hot: {on: visited, again_after: »0h}\nstages:",
        "longer than 0",
        "",
    ),
    (
        "misspelt key of an alert",
        "stages:",
        "alerts:\n  hot: {on: visited, »again_afer: 1h}\nstages:",
        'unknown key "again_afer"',
        'did you mean "again_after"?',
    ),
    (
        "unknown field of updates",
        "stages:",
        "updates: {fields: [score, »consnt]}\nstages:",
        "must be",
        'did you mean "consent"?',
    ),
    (
        "too many alerts",
        "stages:",
        "»alerts:\n" + "".join(f"  a{i}: {{on: visited}}\n" for i in range(21)) + "stages:",
        "must not have more than 20 alerts",
        "",
    ),
    (
        "too many sequences beside others",
        STEPS,
        STEPS
        + "".join(
            f"  s{i}:\n    {MARK * (i == 11)}alongside: true\n    start: visited\n"
            f"    stop: downloaded\n    steps: [{{after: 0d, message: m{i}}}]\n"
            for i in range(1, 12)
        ),
        "not more than 10 sequences run beside others",
        "leave it out",
    ),
    (
        "too many bonuses",
        "stages:",
        "bonuses:\n  »b: {when: visited, points: 1}\n"
        + "".join(f"  b{i}: {{when: visited, points: 1}}\n" for i in range(500))
        + "stages:",
        "must not have more than 500 entries",
        "",
    ),
    (
        "too many grades",
        "stages:",
        "grades: »{" + ", ".join(f"G{i}: {i}" for i in range(51)) + "}\nstages:",
        "must not have more than 50 entries",
        "",
    ),
    (
        "too many measures",
        FIT,
        f"{FIT}\nbonuses:\n"
        + "".join(f"  b{i}: {{when: 'latest.{e}.path == \"x\"', points: 1}}\n" for i, e in FIFTY)
        + "  more: {when: last_7d.visited > 1 || »visits_7d.visited > 1, points: 1}",
        "the model measures more than 50 things besides the numbers of events",
        "measure fewer",
    ),
    (
        "sum of an unknown property",
        FIT,
        f"{FIT}\nbonuses:\n  b: {{when: »sum_30d.page_left.foo >= 5, points: 5}}",
        'there is no property "foo", but seconds, scroll_depth',
        "declare it: properties: {foo: number}",
    ),
    (
        "office hours of the lead",
        "handoff:",
        "handoff:\n  hours: {days: mon-fri, from: '09:00', to: '17:00', time_zone: »lead}",
        "these are hours of sales",
        "write Europe/Berlin for lead",
    ),
    (
        "the lead's zone twice",
        "Europe/Berlin",
        "»lead or lead",
        "named twice",
        "write lead or Europe/Berlin for lead or lead",
    ),
    (
        "too many numbers of events",
        FIT,
        f"{FIT}\nbonuses:\n"
        + "".join(
            f"  {e}_{i}: {{when: last_{i}d.{e} > 1 || days_{i}d.{e} > 1, points: 1}}\n"
            for i in range(1, 126)
            for e in ("visited", "downloaded")
        )
        + "  more: {when: last_1d.visited > 1 || »visits_7d.visited > 2, points: 1}",
        "the model asks for more than 500 numbers, each kind and window",
        "measure fewer",
    ),
    ("age of acts", "stages:", "acts_within: »7\nstages:", "a duration is", "write 7d"),
    ("score out of reach", ENTER, "enter: fit >= 10 && »fit >= 16", "fit is at most 15", ""),
    ("fit below its least", ENTER, "enter: »fit < -5", "but fit is at least 0", ""),
    (
        "count out of reach",
        ENTER,
        "enter: »last_1d.visited > 20",
        "last_1d.visited is at most 20",
        "",
    ),
    ("parts that exclude", ENTER, "enter: »score > 50 && score < 40", "exclude each other", ""),
    ("constant false", ENTER, "enter: »1 > 2", "`1 > 2` is never true", ""),
    ("constant true", ENTER, "enter: »2 > 1", "every known lead would be in the stage", ""),
    (
        "the least score",
        ENTER,
        "enter: »score >= 0",
        "every known lead would be in the stage: `score >= 0`, and score is at least 0",
        "write score >= 1 for score >= 0",
    ),
    (
        "the least score with a base",
        FIT_TO_ENTER,
        FIT_TO_ENTER.replace("enter: ", "enter: »").replace(" && fit >= 10", "").replace("35", "51")
        + "\nbase: 50",
        "`score >= 50`, and score is at least 50",
        "write score >= 51 for score >= 50",
    ),
    (
        "the least score with a floor",
        FIT_TO_ENTER,
        FIT_TO_ENTER.replace("score >= 50 && fit >= 10", "»-9 < score") + "\nbase: -5\nfloor: -8",
        "`-9 < score`, and score is at least -5",
        "write score >= -4 for -9 < score",
    ),
    (
        "leave below the base",
        FIT_TO_ENTER,
        FIT_TO_ENTER.replace("leave: ", "leave: »") + "\nbase: 40",
        "no lead would leave the stage",
        "",
    ),
    (
        "any number of events",
        ENTER,
        "enter: »last_30d.visited >= 0",
        "and last_30d.visited is at least 0",
        "write last_30d.visited >= 1 for last_30d.visited >= 0",
    ),
    (
        "grade out of reach in enter",
        FIT_TO_ENTER,
        FIT_TO_ENTER.replace("score >= 50 && fit >= 10", "'score >= 50 && »grade == \"A\"'")
        + "\ngrades: {A: 30, B: 10, C: 0}",
        'the stage is unreachable: `grade == "A"`, but fit is 0 to 15',
        "",
    ),
    (
        "grade that its fit excludes",
        FIT_TO_ENTER,
        FIT_TO_ENTER.replace("score >= 50 && fit >= 10", "»fit < 10 && grade in ['A', 'B']")
        + "\ngrades: {A: 15, B: 10, C: 0}",
        "its parts exclude each other",
        "",
    ),
    (
        "every grade",
        FIT_TO_ENTER,
        FIT_TO_ENTER.replace("score >= 50 && fit >= 10", "»grade != 'A'")
        + "\ngrades: {A: 30, B: 10, C: 0}",
        "every known lead would be in the stage: `grade != 'A'`, and no lead has another grade",
        "",
    ),
    (
        "days beyond a bonus's window",
        FIT,
        FIT + "\nbonuses:\n  warm: {when: »days_30d.visited >= 31, points: 5}",
        "`days_30d.visited >= 31`, but days_30d.visited is at most 30",
        "write days_30d.visited >= 30 for days_30d.visited >= 31",
    ),
    (
        "values beyond a bonus's window",
        FIT,
        FIT + "\nbonuses:\n  warm: {when: visited && »distinct_2d.visited.path > 40, points: 5}",
        "distinct_2d.visited.path is at most 40",
        "write distinct_2d.visited.path >= 40 for distinct_2d.visited.path > 40",
    ),
    (
        "grade out of a bonus's reach",
        FIT,
        FIT + "\ngrades: {A: 30, B: 0}\nbonuses:\n  warm: {when: »grade == 'A', points: 5}",
        "no lead gets these points: `grade == 'A'`, but fit is 0 to 15",
        "",
    ),
    (
        "route above all counts",
        'country == "US"',
        "»visits_1d.visited > 48",
        "visits_1d.visited is at most 48",
        "",
    ),
    (
        "step above all counts",
        "{after: 3d,",
        "{after: 3d, when: »last_7d.visited > 140,",
        "case-study is never sent",
        "",
    ),
    ("only anonymous leads", ENTER, 'enter: "»!identified"', "the stage is unreachable", ""),
    ("leave never", "leave: score < 35", "leave: »score < 0", "no lead would leave", ""),
    (
        "leave above enter",
        "leave: score < 35",
        "leave: »score < 60",
        "between the thresholds of score leads flap",
        "leave below",
    ),
    (
        "leave above the sum that enter asks for",
        "score >= 50 && fit >= 10\n    leave: score < 35",
        "engagement >= 30 && score >= 40\n    leave: »engagement < 35",
        "leads flap",
        "",
    ),
    ("no stop", '    stop: stage == "sql"\n', "", '"stop" is missing', ""),
    ("stop never", 'stage == "sql"', "»score < 0", "nothing would stop the sequence", ""),
    ("stop always", 'stage == "sql"', "»true || visited", "nothing would ever be sent", ""),
    (
        "stop whenever start",
        'stage == "sql"',
        '»stage in ["mql", "sql"]',
        "whenever start does",
        "",
    ),
    ("start never", 'start: stage == "mql"', "start: »fit > 99", "no lead would enter", ""),
    ("unknown stage", 'stop: stage == "sql"', 'stop: stage == "»sal"', 'no stage "sal"', '"sql"'),
    (
        "unknown stage in a list",
        'stop: stage == "sql"',
        'stop: stage in ["sql", "»custmer"]',
        'there is no stage "custmer"',
        'did you mean "customer"?',
    ),
    ("no steps", STEPS, "    steps: »[]\n", "needs at least one step", ""),
    ("steps out of order", "after: 0d", "after: 5d", "steps are out of order", ""),
    ("steps at one time", "after: 3d", "after: »0h", "due at the same time", ""),
    ("step without message", "- {after: 3d, message: case-study}", "- »{after: 3d}", "missing", ""),
    ("message twice", "message: case-study", "message: »welcome", "is sent twice", "name of its"),
    ("handoff without a promise", f"  {TOUCH}\n", "", '"first_touch_within" is missing', ""),
    ("promise of nothing", TOUCH, "first_touch_within: »0h", "longer than 0", ""),
    ("promise without a unit", TOUCH, "first_touch_within: »1", "a duration is", "write 1d"),
    ("key of handoff", TOUCH, f"{TOUCH}\n  »remind: 5m", "unknown key", 'mean "remind_after"?'),
    (
        "reminded too late",
        TOUCH,
        f"{TOUCH}\n  remind_after: »60m",
        "the time to speak to the lead is up already",
        "shorter than first_touch_within",
    ),
    (
        "accepted before spoken to",
        "accept_within: 24h",
        "accept_within: »30m",
        "sales would decide before it has spoken",
        "",
    ),
    (
        "no routes",
        SOUND[SOUND.index("routes:") : SOUND.index("sequences:")],
        "routes: »[]\n",
        "must not be empty",
        "",
    ),
    ("routes by name", ROUTE, "»ann", "must be a mapping", ""),
    ("route to nobody", ROUTE, '»{when: country == "US"}', "has no owner", "add owner:"),
    ("route to no one of a list", "[ann, bob]", "»[]", "must not be empty", ""),
    ("two kinds of owners", "{owner: sales}", "{owner: sales, »owners: [ann]}", "exclude", "keep"),
    ("owner of no name", "{owner: sales}", '{owner: »""}', "one line of up to 100", ""),
    ("owner with a line's end", "[ann, bob]", '[ann, »"b\\no"]', "one line of up to 100", ""),
    ("owner by number", "{owner: sales}", "{owner: »17}", "must be text", "put it in quotes"),
    ("key of a route", "{owner: sales}", "{»user: sales}", 'unknown key "user"', ""),
    (
        "route for everyone before others",
        ROUTE,
        "»{owner: ann}",
        "takes every lead: the routes after it are never used",
        "move it to the end",
    ),
    (
        "route that always holds before others",
        '{when: country == "US"',
        "»{when: 1 < 2",
        "the routes after it are never used",
        "",
    ),
    (
        "route within an earlier one",
        "- {owner: sales}",
        '- {when: »country == "US" && employees > 500, owner: sales}',
        "holds only where route 1 does",
        "put the narrower route first",
    ),
    ("route out of reach", 'country == "US"', "»fit > 15", "fit is at most 15", ""),
    ("route for a stage of sales", 'country == "US"', '»stage == "sql"', "offered in a stage", ""),
    ("unknown trait in a route", 'country == "US"', '»contry == "US"', "unknown name", '"country"'),
    ("types in a route", 'country == "US"', "country »== 1", "string and integer", 'write == "1"'),
    ("unknown stage in a route", 'country == "US"', 'stage == "»mqll"', "no stage", '"mql"'),
    ("route that is no condition", 'country == "US"', "»score", "of type integer", ""),
    ("unknown name in a goal", GOAL, "goal: »dowloaded", "unknown name", 'mean "downloaded"?'),
    ("property in a goal", GOAL, 'goal: »path == "/"', "is a property of events", ""),
    ("goal never", GOAL, "goal: »score < 0", "no lead would reach the goal", ""),
    ("goal always", GOAL, "goal: »1 < 2", "nothing would ever be sent", ""),
    ("goal at the start", GOAL, 'goal: »stage in ["mql"]', "holds whenever start does", ""),
    ("goal that all have reached", GOAL, "goal: »identified", "holds whenever start does", ""),
    ("stop that all fulfil", 'stage == "sql"', "»identified", "holds whenever start does", ""),
    (
        "anonymous start",
        'start: stage == "mql"',
        'start: »"!identified"',
        "anonymous leads enter no sequence",
        "",
    ),
    ("weekday", "mon-fri", "»mon-friday", '"friday" is not a weekday', "write mon-fri"),
    ("weekday in a list", "mon-fri", "[mon, »Tue]", '"Tue" is not a weekday', "write tue"),
    ("weekday by number", "mon-fri", "[»1]", "must be text", ""),
    ("no weekday", "mon-fri", "»[]", "must not be empty", ""),
    ("no hours at all", HOURS, HOURS.replace('"17:00"', '»"9:00"'), "no time is left", ""),
    (
        "the lead's zone alone",
        "Europe/Berlin",
        "»lead",
        "whose own is not known",
        "write lead or Europe/Berlin for lead",
    ),
    (
        "the lead's zone or none",
        "Europe/Berlin",
        "»lead or Berlin",
        '"Berlin" is not a time zone',
        'mean "Europe/Berlin"?',
    ),
    (
        "step that is never sent",
        "{after: 3d,",
        "{after: 3d, when: »fit > 99,",
        "can never hold: case-study is never sent",
        "",
    ),
    ("unknown name in a step", "{after: 3d,", "{after: 3d, when: »fitt > 9,", "unknown name", ""),
    ("condition of a step", "{after: 3d,", "{after: 3d, »if: fit > 9,", "unknown key", '"when"'),
    ("hours by number", HOURS, HOURS.replace('"09:00"', "»9"), "hours and minutes", '"09:00"'),
    ("hours of 25", HOURS, HOURS.replace('"17:00"', '»"25:00"'), "up to", ""),
    ("hours without an end", HOURS, HOURS.replace(' to: "17:00",', ""), '"to" is missing', ""),
    ("hours without a zone", HOURS, 'hours: {from: "9:00", to: 17:00}', '"time_zone" is', ""),
    ("key of hours", HOURS, HOURS.replace("days:", "»dais:"), "unknown key", 'mean "days"?'),
    ("hours as text", HOURS, "hours: »mon-fri", "must be a mapping", ""),
    ("time zone", "Europe/Berlin", "»Europe/Berlim", "not a time zone", 'mean "Europe/Berlin"?'),
    (
        "city for a zone",
        "Europe/Berlin",
        "»New York",
        "not a time zone",
        'mean "America/New_York"?',
    ),
    ("offset for a zone", "Europe/Berlin", "»UTC+2", '"UTC+2" is not a time zone', ""),
    ("no zone at all", "Europe/Berlin", '»""', "not a time zone", ""),
    ("path for a zone", "Europe/Berlin", "»../../etc/passwd", "not a time zone", ""),
    ("late", GOAL, f"{GOAL}\n    late: »shft", 'must be "shift" or "skip"', 'mean "shift"?'),
    ("again at once", "again_after: 90d", "again_after: »0d", "longer than 0", ""),
    ("alongside", GOAL, f"{GOAL}\n    alongside: »yes", "true or false", "write true"),
]
# Where the mark cannot stand in the replacement, because the fault is elsewhere.
ELSEWHERE = {
    "open bracket": (2, 12),
    "no stop": (20, 3),
    "steps out of order": (28, 17),
    "handoff without a promise": (13, 1),
    "hours without an end": (24, 5),
    "hours without a zone": (24, 5),
}


def broken(find: str, instead: str) -> tuple[str, tuple[int, int] | None]:
    assert SOUND.count(find) >= 1, find
    text = SOUND.replace(find, instead, 1)
    place = None
    if MARK in text:
        before = text[: text.index(MARK)]
        place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
    return text.replace(MARK, "", 1), place


def errors(text: str) -> list[Finding]:
    return [found for found in check(text) if found.severity is Severity.ERROR]


def test_the_sound_model_has_no_findings() -> None:
    assert check(SOUND) == []


@pytest.mark.parametrize(
    ("what", "find", "instead", "fragment", "suggestion"), BROKEN, ids=[case[0] for case in BROKEN]
)
def test_a_fault_is_found_at_its_place(
    what: str, find: str, instead: str, fragment: str, suggestion: str
) -> None:
    text, place = broken(find, instead)

    found = errors(text)

    assert [(error.line, error.column) for error in found] == [place or ELSEWHERE[what]], found
    assert fragment in found[0].message
    assert suggestion in found[0].suggestion


def test_all_faults_are_reported_at_once_and_in_order() -> None:
    text = dedent(
        """\
        signals:
          visited: {on: page_viewed, point: 2, per_day: 50, half_life: 30}
          downloaded: {on: content_downloaded, when: knd == "x", points: 20, group: nowhere}
          company: {on: chat_started, points: 1, decay: never}
        fit:
          a: {when: employees >= "50", points: many}
          b: {when: employes >= 50, points: 5}
        stages:
          mql: {enter: scor >= 50 && last_30d.visted >= 1, leave: score <, bypass: [demo]}
        sequences:
          s: {start: stage == "mqll", steps: [{after: soon, message: x}]}
        extra: 1
        """
    )

    found = [(error.line, error.column, error.path) for error in errors(text)]

    assert found == [
        (2, 30, "signals.visited.point"),
        (2, 49, "signals.visited.per_day"),
        (2, 64, "signals.visited.half_life"),
        (3, 46, "signals.downloaded.when"),
        (3, 77, "signals.downloaded.group"),
        (4, 3, "signals.company"),
        (6, 23, "fit.a.when"),
        (6, 40, "fit.a.points"),
        (7, 13, "fit.b.when"),
        (9, 16, "stages.mql.enter"),
        (9, 30, "stages.mql.enter"),
        (9, 66, "stages.mql.leave"),
        (9, 77, "stages.mql.bypass[0]"),
        (11, 3, "sequences.s.stop"),
        (11, 24, "sequences.s.start"),
        (11, 47, "sequences.s.steps[0].after"),
        (12, 1, "extra"),
    ]


UNKNOWN = (
    'line 7, column 22: fit.mid_market.when: unknown name "employes" (did you mean "employees"?)'
)


def test_loading_a_broken_model_raises_with_every_problem() -> None:
    text, _ = broken("employees >= 50, points: 15", "employes >= 50, points: many")

    with pytest.raises(ConfigurationError) as raised:
        load(text, name="model.yaml")

    assert raised.value.subject == "model.yaml is not a valid model"
    assert raised.value.problems == (
        UNKNOWN,
        "line 7, column 46: fit.mid_market.points: must be a whole number",
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("", "the file is empty"),
        ("# only a comment\n", "the file is empty"),
        ("- signals\n", "must be a mapping"),
        ("signals", "must be a mapping"),
        ("signals: {}\n", "must not be empty"),
        ("fit: {}\n", '"signals" is missing'),
        ("a: 1\n---\nb: 2\n", "expected a single document"),
        ("a: \x00\n", "a character that YAML does not allow"),
        ("[" * 3_000, "nested too deeply"),
        ("{a: " * 3_000, "nested too deeply"),
        ("- " * 3_000, "nested too deeply"),
        ("a: &a [1]\nb: &b [*a, *a, *a]\nc: [*b, *b, *b]\n", "anchors and aliases are not allowed"),
        ("signals: {<<: {a: 1}}", '"<<" '),
        ("? [a]\n: 1\nsignals: {}", "a key is plain text"),
        ("x" * 600_000, "exceeds 500000 characters"),
    ],
)
def test_a_file_that_is_not_a_model_is_named_as_such(text: str, fragment: str) -> None:
    assert any(fragment in error.message for error in errors(text)), check(text)


SECTIONS = [
    *("signals", "groups", "fit", "stages", "handoff", "alerts", "updates", "sequences", "traits")
]
STRANGE = ["", "5", "text", "[]", "{x: }", "{x: 5}", "{x: []}", "{x: {}}"]


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("value", STRANGE)
def test_checking_never_fails_on_a_strange_section(section: str, value: str) -> None:
    others = "" if section == "signals" else SOUND.split(f"\n{section}:", maxsplit=1)[0]

    check(f"{others}\n{section}: {value}\n")


@pytest.mark.slow
@pytest.mark.parametrize("value", [*STRANGE, "[5]", "[[]]", "[{}]", "[{when: }]", "{from: {}}"])
@pytest.mark.parametrize("part", ["routes", "remind_after", "hours", "goal", "late", "again_after"])
def test_checking_never_fails_on_a_strange_part(part: str, value: str) -> None:
    lines = [f"  {part}: {value}" if "  routes:" in line else line for line in SOUND.splitlines()]
    within_sequence = [
        f"    {part}: {value}" if " hours:" in line else line for line in SOUND.splitlines()
    ]

    check("\n".join(line for line in lines if not line.startswith("    - {")))
    check("\n".join(within_sequence))
