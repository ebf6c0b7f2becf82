"""Countries by name, so that a condition can say ``country == "US"`` whatever a form sends.

Names after ISO 3166-1, with the short and the common ones; English only.
"""

from types import MappingProxyType

_NAMES = """
AE United Arab Emirates,UAE|AF Afghanistan|AL Albania|AM Armenia|AO Angola|AR Argentina|AT Austria
AU Australia|AZ Azerbaijan|BA Bosnia and Herzegovina|BD Bangladesh|BE Belgium|BG Bulgaria
BH Bahrain|BO Bolivia|BR Brazil|BW Botswana|BY Belarus|CA Canada|CH Switzerland
CI Côte d'Ivoire,Ivory Coast|CL Chile|CM Cameroon|CN China|CO Colombia|CR Costa Rica|CU Cuba
CY Cyprus|CZ Czechia,Czech Republic|DE Germany|DK Denmark|DO Dominican Republic|DZ Algeria
EC Ecuador|EE Estonia|EG Egypt|ES Spain|ET Ethiopia|FI Finland|FR France
GB United Kingdom,UK,Great Britain,England,Scotland,Wales,Northern Ireland|GE Georgia|GH Ghana
GR Greece|GT Guatemala|HK Hong Kong|HN Honduras|HR Croatia|HU Hungary|ID Indonesia|IE Ireland
IL Israel|IN India|IQ Iraq|IR Iran|IS Iceland|IT Italy|JM Jamaica|JO Jordan|JP Japan|KE Kenya
KH Cambodia|KR South Korea,Korea,Republic of Korea|KW Kuwait|KZ Kazakhstan|LA Laos|LB Lebanon
LI Liechtenstein|LK Sri Lanka|LT Lithuania|LU Luxembourg|LV Latvia|LY Libya|MA Morocco
MC Monaco|MD Moldova|ME Montenegro|MK North Macedonia,Macedonia|MM Myanmar|MN Mongolia|MT Malta
MU Mauritius|MX Mexico|MY Malaysia|MZ Mozambique|NA Namibia|NG Nigeria|NI Nicaragua
NL Netherlands,The Netherlands,Holland|NO Norway|NP Nepal|NZ New Zealand|OM Oman|PA Panama
PE Peru|PH Philippines|PK Pakistan|PL Poland|PR Puerto Rico|PT Portugal|PY Paraguay|QA Qatar
RO Romania|RS Serbia|RU Russia,Russian Federation|RW Rwanda|SA Saudi Arabia|SE Sweden
SG Singapore|SI Slovenia|SK Slovakia|SN Senegal|SV El Salvador|TH Thailand|TN Tunisia
TR Turkey,Türkiye|TT Trinidad and Tobago|TW Taiwan|TZ Tanzania|UA Ukraine|UG Uganda
US United States,United States of America,USA,U.S.A.,U.S.,America|UY Uruguay|UZ Uzbekistan
VE Venezuela|VN Vietnam,Viet Nam|ZA South Africa|ZM Zambia|ZW Zimbabwe
"""
_ENTRIES = [entry.split(" ", 1) for entry in _NAMES.replace("\n", "|").split("|") if entry]
_CODES = MappingProxyType(
    {name.lower(): code for code, names in _ENTRIES for name in names.split(",")}
)
_CODE_LENGTH = 2


def country_code(text: str) -> str | None:
    """The two-letter code of a country, from its name or its code; ``None`` if we cannot tell."""
    known = _CODES.get(text.lower())
    if known:
        return known
    return text.upper() if len(text) == _CODE_LENGTH and text.isascii() and text.isalpha() else None
