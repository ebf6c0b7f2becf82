"""Amounts of money as whole numbers of a currency's smallest unit. Refuses to convert any."""

from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType

from warmlead.domain.errors import Reason, RejectedError

_TWO = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD
CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD
HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD
MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON
RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD
TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"

DECIMALS = MappingProxyType(
    {
        code: decimals
        for decimals, codes in ((2, _TWO), (0, _NONE), (3, _THREE))
        for code in codes.split()
    }
)
"""The currencies in use (ISO 4217), and how many decimals an amount in each has."""

MAX_DIGITS = 15
"""An amount has fewer digits before its point than this: a slip of the hand has more."""


def currency_code(text: str) -> str:
    """The code of a currency, in capitals; raises ``RejectedError`` unless it is one in use."""
    code = text.strip().upper()
    if code not in DECIMALS:
        raise RejectedError(Reason.CURRENCY_UNKNOWN, "The currency is no code of ISO 4217.")
    return code


def smallest_units(amount: Decimal, currency: str) -> int:
    """How many cents (yen, fils) an amount is; what is finer is rounded, halves away from zero.

    Raises ``RejectedError`` for what is negative, no number, or absurdly large.
    """
    if not amount.is_finite() or amount < 0 or amount.adjusted() >= MAX_DIGITS:
        raise RejectedError(
            Reason.VALUE_INVALID, f"A value is a number from 0, of {MAX_DIGITS} digits at most."
        )
    if amount.adjusted() < -MAX_DIGITS:
        return 0
    one = Decimal(1).scaleb(-DECIMALS[currency])
    return int(amount.quantize(one, ROUND_HALF_UP).scaleb(DECIMALS[currency]))
