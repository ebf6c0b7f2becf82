"""Google Ads: the leads of lead form assets."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from warmlead.senders.proofs import KeyInBody, Proof
from warmlead.senders.submission import FORM_SUBMITTED, Fact
from warmlead.senders.webhooks import Asked, Said, WebhookSender, WebhookSettings, records, text

_OF_THE_AD = ("campaign_id", "adgroup_id", "creative_id", "asset_group_id")


class GoogleAdsSettings(WebhookSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The secrets are the keys that were entered at each form. Forms are named by their id."""


class GoogleAdsSource(WebhookSender):
    """Leads of ads (https://developers.google.com/google-ads/webhook/docs/implementation)."""

    name = "google_ads"
    path = "google-ads"
    proof: ClassVar[Proof] = KeyInBody("google_key")
    meanings: ClassVar = {"lead": FORM_SUBMITTED, "test_lead": None}
    once = "`lead_id`"
    retries = "not published"

    def said(self, item: Mapping[str, Any]) -> Iterable[Said]:
        """The lead: answers under Google's names for them, and the ad that brought it."""
        click = text(item.get("gcl_id"))
        yield Said(
            "test_lead" if item.get("is_test") is True else "lead",
            Fact(
                fields={"gclid": click} if click else {},
                id=text(item.get("lead_id")) or None,
                time=item.get("lead_submit_time"),
                form=text(item.get("form_id")),
                properties={name: text(item.get(name)) for name in _OF_THE_AD},
            ),
            [
                Asked(
                    (text(one.get("column_name")), text(one.get("column_id"))),
                    one.get("string_value"),
                    text(one.get("column_id")),
                )
                for one in records(item.get("user_column_data"))
            ],
        )
