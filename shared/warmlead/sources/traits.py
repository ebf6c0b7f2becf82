"""The names under which traits arrive, and the ones under which we keep them.

Forms and SDKs call the same thing by many names. The standard ones are those that models know;
what a trait's value means is for the model, except where it must be said once: countries.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from warmlead.domain.event import Property
from warmlead.sources.countries import country_code

_SPELLINGS = {
    "email": """
        email e_mail mail email_address e_mail_address emailaddress mail_address work_email
        business_email company_email corporate_email professional_email user_email
        email_1 emailadresse courriel
    """,
    "first_name": "first_name firstname fname given_name givenname forename name_first vorname",
    "last_name": """
        last_name lastname lname family_name familyname surname name_last nachname
    """,
    "name": "name full_name fullname name_full complete_name",
    "phone": """
        phone phone_number phonenumber telephone tel mobile mobile_phone work_phone business_phone
        phone_1 telefon
    """,
    "title": "title job_title jobtitle job_role job_position position occupation",
    "department": "department",
    "seniority": "seniority job_level",
    "company": """
        company company_name companyname organization organisation organization_name
        organisation_name org business_name employer account_name firma
    """,
    "employees": """
        employees company_size companysize company_employees num_employees number_of_employees
        numberofemployees employee_count employees_count numemployees no_of_employees team_size
        organization_size headcount
    """,
    "annual_revenue": "annual_revenue annualrevenue company_revenue company_annual_revenue",
    "industry": "industry company_industry sector",
    "website": "website company_website company_url company_domain homepage web_site",
    "country": """
        country country_code countrycode country_name address_country location_country
        company_country company_address_country land
    """,
    "region": "region state province address_state address_region state_region",
    "city": "city town address_city location_city",
    "postal_code": """
        postal_code postalcode zip zip_code zipcode postcode address_postal_code
        address_zip address_postalcode plz
    """,
    "language": "language preferred_language lang",
    "interests": "interests interest",
    "consent": "consent marketing_consent gdpr_consent opt_in",
}
_STANDARD = MappingProxyType(
    {spelling: name for name, text in _SPELLINGS.items() for spelling in text.split()}
)
_WRAPPING = re.compile(
    r"(?:(?:contact|lead|person|customer|visitor|subscriber|applicant|respondent|data|fields"
    r"|merges|merge_fields|answers|attributes|traits|your|q[0-9]{1,3})_)+"
)


@lru_cache(maxsize=1024)
def standard_name(name: str) -> str | None:
    """The trait that a field of this (flat) name means, or ``None`` if it is none we know.

    Groupings around it, as in ``contact[email]``, and Jotform's ``q4_email`` are seen through.
    """
    return _STANDARD.get(name) or _STANDARD.get(_WRAPPING.sub("", name, count=1))


def as_traits(flat: Mapping[str, Property]) -> dict[str, Property]:
    """All fields as traits: known ones under their standard names, others under their own.

    A standard name wins over other spellings of it. Empty texts are unknown, not values.
    """
    traits: dict[str, Property] = {}
    for field, value in flat.items():
        name = standard_name(field) or field
        if value not in ("", []) and (name == field or name not in flat):
            traits.setdefault(name, trait_value(name, value))
    return traits


def company_traits(flat: Mapping[str, Property]) -> dict[str, Property]:
    """What is said of a company as traits of its people: its name is ``company``."""
    of_company = {
        name if name.startswith("company") else f"company_{name}": value
        for name, value in flat.items()
    }
    return {name: value for name, value in as_traits(of_company).items() if name != "email"}


def trait_value(name: str, value: Property) -> Property:
    """A trait's value in the one form that conditions compare with."""
    if isinstance(value, str):
        value = value.strip()
        return country_code(value) or value if name == "country" else value
    return value
