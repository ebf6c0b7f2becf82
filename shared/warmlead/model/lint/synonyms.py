"""What people call traits, properties and countries, and what Warmlead calls them."""

import re
from collections.abc import Collection, Container, Mapping
from types import MappingProxyType

from warmlead.domain.country_codes import CODES
from warmlead.domain.event import snake_case
from warmlead.model.document import closest


def _by_other(words: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({other: word for word, text in words.items() for other in text.split()})


TRAIT_SYNONYMS = _by_other(
    {
        "employees": "company_size employee_count num_employees number_of_employees headcount "
        "staff numberofemployees size team_size",
        "title": "job_title jobtitle job_role job_position position occupation role",
        "company": "company_name organization organisation employer account",
        "industry": "sector vertical",
        "country": "country_code nation location country_region countryregion",
        "city": "town",
        "postal_code": "zip zip_code postcode",
        "region": "state province",
        "phone": "phone_number telephone mobile",
        "email": "email_address mail",
        "first_name": "firstname given_name forename",
        "last_name": "lastname surname family_name",
        "website": "site homepage",
        "annual_revenue": "revenue turnover",
        "time_zone": "timezone tz",
        "email_domain": "domain",
        "free_mailbox": "is_free_email free_email freemail",
        "lifecycle_stage": "lifecyclestage",
        "lead_source": "leadsource",
    }
)
"""Names under which forms and CRMs send standard traits, as far as authors of models use them."""

PROPERTY_SYNONYMS = _by_other(
    {
        "path": "page pathname url_path page_path page_url uri web_page",
        "url": "current_url page_location href",
        "referrer": "referer",
        "seconds": "secs duration time_on_page time_spent dwell_time",
        "percent": "progress percentage",
        "kind": "type content_type asset_type",
        "campaign": "campaign_name",
        "rating": "stars nps",
        "minutes": "watch_time",
    }
)
"""What authors call the standard properties of events."""

FACT_SYNONYMS = _by_other(
    {
        "score": "lead_score total_score points total hubspotscore hubspot_score",
        "fit": "fit_score demographic_score",
        "engagement": "engagement_score behavior_score behaviour_score",
        "stage": "lifecycle_stage status lead_status deal_stage dealstage lead_stage",
        "days_inactive": "inactive_days days_since_last_activity days_since_last_visit "
        "last_activity last_visit last_activity_date last_visit_date last_engagement_date "
        "last_contacted inactivity",
        "mail_refused": "unsubscribed opted_out opt_out refused unsubscribe opted_out_of_email "
        "unsubscribed_from_all_email has_unsubscribed is_unsubscribed email_opt_out "
        "has_opted_out_of_email",
        "suppressed": "bounced hard_bounced blacklisted black_listed marketing_suspended "
        "do_not_email do_not_contact is_suppressed email_invalid",
        "identified": "known is_known",
    }
)
"""What authors call facts about a lead."""


ORIGIN_SYNONYMS = _by_other(
    {
        "landing_page": "landing_page landingpage landing entry_page first_page start_page page",
        "channel": "channel channel_group utm_channel",
        "source": "source utm_source traffic_source",
        "medium": "medium utm_medium",
        "campaign": "campaign utm_campaign campaign_name",
        "term": "term utm_term keyword",
        "content": "content utm_content",
        "referrer": "referrer referer",
    }
)
"""What authors call the parts of an origin."""

_WHICH = re.compile(
    r"(?:(first|initial|original|last|latest)(?:_touch|_visit)?[._])?(\w+)", re.ASCII
)


def origin_meant(name: str) -> str:
    """The part of an origin that a name means; empty if none. Of which visit: the first.

    ``landing_page`` and ``first_touch.landing_page`` are ``first.landing_page``.
    """
    found = _WHICH.fullmatch(snake_case(name) if "." not in name else name)
    part = ORIGIN_SYNONYMS.get(found[2], "") if found else ""
    if not found or not part or (part == "landing_page" and found[2] == "page" and not found[1]):
        return ""
    return f"{'last' if found[1] in ('last', 'latest') else 'first'}.{part}"


def our_word(name: str, usable: Container[str]) -> str:
    """What Warmlead calls something, of the names that are ``usable``; empty if nothing is known.

    Of a dotted name (``traits.country``, ``url.path``) the last part counts.
    """
    last = snake_case(name.rpartition(".")[2])
    if last != name and last in usable:
        return last
    for called in (last, _OF_A_TOOL.sub("", last)):
        for synonyms in (TRAIT_SYNONYMS, PROPERTY_SYNONYMS, FACT_SYNONYMS):
            if (ours := synonyms.get(called, "")) in usable:
                return ours
        if called != last and called in usable:
            return called
    return ""


_OF_A_TOOL = re.compile(r"\A(?:hs|hubspot|mkto|sfdc|contact|lead|prospect|person)_|_c\Z")
"""What tools put before and behind the names of fields: ``hs_industry``, ``Industry__c``."""


_STAGES = _by_other(
    {
        "lead": "subscriber new newlead prospect visitor opennotcontacted other rawlead",
        "mql": "marketingqualified marketingqualifiedlead marketingqualifiedleads mqls",
        "pql": "productqualified productqualifiedlead",
        "sql": "salesqualified salesqualifiedlead salesqualifiedleads sal salesacceptedlead "
        "salesaccepted sqls working workingcontacted inprogress connected open accepted",
        "opportunity": "opp opportunities deal opendeal closedconverted proposal",
        "customer": "customers client won closedwon evangelist existingcustomer",
        "recycled": "nurture nurturing nurtured recycle badtiming notready",
        "disqualified": "unqualified junk lost closedlost rejected closednotconverted spam "
        "disqualifiedlead unqualifiedlead",
    }
)
"""What CRMs call the stages of a lead, in letters alone."""


def stage_meant(text: str, stages: Container[str]) -> str:
    """The stage that is called otherwise by a CRM; empty if none of the model's is known to be."""
    name = snake_case(text)
    if name in stages:
        return name
    meant = _STAGES.get(name.replace("_", ""), "")
    return meant if meant in stages else ""


def guess_stage(text: str, stages: Collection[str]) -> str:
    """What to write for a stage that no lead can be in; all that there are if nothing is alike."""
    meant = stage_meant(text, stages) or closest(text.casefold(), stages)
    if not meant:
        return f"the stages are {', '.join(sorted(stages))}"
    return f'did you mean "{meant}"?' if text.isalnum() else f"write {meant} for {text}"


REGIONS: Mapping[str, str] = MappingProxyType(
    {
        "DACH": "AT CH DE",
        "BENELUX": "BE LU NL",
        "NORDICS": "DK FI IS NO SE",
        "UKI": "GB IE",
        "ANZ": "AU NZ",
        "EU": "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK",
    }
)
"""What authors call several countries at once, and the codes of these."""

_COUNTRIES = {
    "US": "usa, united states, united states of america, america, u.s., u.s.a.",
    "GB": "uk, united kingdom, great britain, britain, england, scotland, wales, u.k.",
    "DE": "germany, deutschland, ger, deu",
    "AT": "austria, österreich, aut",
    "CH": "switzerland, schweiz, suisse, che",
    "FR": "france, fra",
    "ES": "spain, españa, esp",
    "IT": "italy, italia, ita",
    "PT": "portugal, prt",
    "NL": "netherlands, the netherlands, holland, nederland, nld",
    "BE": "belgium, belgique, belgië, bel",
    "IE": "ireland, irl",
    "SE": "sweden, sverige, swe",
    "NO": "norway, norge, nor",
    "DK": "denmark, danmark, dnk",
    "FI": "finland, suomi, fin",
    "PL": "poland, polska, pol",
    "CZ": "czechia, czech republic, cze",
    "CA": "canada, can",
    "MX": "mexico, méxico, mex",
    "BR": "brazil, brasil, bra",
    "AR": "argentina, arg",
    "AU": "australia, aus",
    "NZ": "new zealand, nzl",
    "IN": "india, ind",
    "CN": "china, chn",
    "JP": "japan, jpn",
    "KR": "south korea, korea, kor",
    "SG": "singapore, sgp",
    "HK": "hong kong, hkg",
    "IL": "israel, isr",
    "AE": "united arab emirates, uae, are",
    "ZA": "south africa, zaf",
    "TR": "turkey, türkiye, tur",
    "UA": "ukraine, ukr",
}
COUNTRY_NAMES: Mapping[str, str] = MappingProxyType(
    {name: code for code, text in _COUNTRIES.items() for name in text.split(", ")}
)
"""Names of countries that authors of models write, in small letters, with the code of each."""


def code_of_country(text: str) -> str:
    """The code of a country that is written in another way; empty if it is not known."""
    plain = text.strip()
    upper = plain.upper()
    return COUNTRY_NAMES.get(plain.lower(), upper if upper in CODES else "")
