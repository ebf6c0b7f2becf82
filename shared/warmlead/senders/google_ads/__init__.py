"""Google Ads: see README.md."""

from warmlead.senders.google_ads.source import GoogleAdsSettings, GoogleAdsSource

__all__ = ["GoogleAdsSettings", "GoogleAdsSource"]
