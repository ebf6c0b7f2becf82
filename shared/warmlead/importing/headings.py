"""What columns are called in exports and in spreadsheets, by language: en, de, fr, es, pt, it.

Names are in snake case without accents, as ``snake_case`` makes them.
"""

import re
from collections.abc import Mapping


def _named(words: str) -> re.Pattern[str]:
    """Names that are one of the words, or have it behind or before other words."""
    return re.compile(rf"(?:.*_)?(?:{'|'.join(words.split())})(?:_.*)?")


STAGE_WORDS: Mapping[str, str] = {
    "won": "won",
    "customer": "won",
    "gewonnen": "won",
    "gagne": "won",
    "ganado": "won",
    "lost": "lost",
    "verloren": "lost",
    "perdu": "lost",
    "perdido": "lost",
    "opportunity": "opportunity",
    "sql": "accepted",
    "sales_qualified": "accepted",
    "accepted": "accepted",
    "converted": "accepted",
    "kunde": "won",
    "client": "won",
    "cliente": "won",
    "opportunite": "opportunity",
    "oportunidad": "opportunity",
}
"""What sales said, by a word in the name of a column with times."""

ENDINGS: Mapping[str, str] = {
    **dict.fromkeys(("won", "gewonnen", "gagne", "gagnee", "ganado", "ganada"), "won"),
    **dict.fromkeys(("ganho", "ganha", "vinto", "vinta"), "won"),
    **dict.fromkeys(("lost", "verloren", "perdu", "perdue", "perdido", "perdida"), "lost"),
    **dict.fromkeys(("perso", "persa"), "lost"),
}
"""How a deal ended, by a word in the value of its status."""

MQL = _named("mql marketing_qualified marketing_qualifizierter? qualifie_marketing")
STATUS = re.compile(
    r"(?:.*_)?(?:stage|status|statut|phase|fase|estado|etapa|etape|stato)(?:_name)?"
)
ENDED = _named(
    """
    close closed end ended decided abschluss abschlussdatum geschlossen cierre cloture fermeture
    fechamento chiusura
    """
)
CREATED = _named(
    """
    created? creation added add signup sign_up registered submitted received erstellt
    erstellungsdatum angelegt eingang anfrage creado creacion alta cree creation criado criacao
    creato creazione first_seen timestamp occurred event_time
    """
)
NOT_YET = _named(
    """
    last latest recent next expected forecast planned due modified updated? changed activity
    birthday birth dob letzte letzter geandert aktualisiert geburtsdatum erwartet erwarteter
    voraussichtlich derniere? dernier prevue? prochaine? ultima ultimo proxima prevista previsto
    modificado naissance nacimiento
    """
)
"""Times at which nothing began: of the latest change, of what is expected, a birthday."""

TIME = _named(
    """
    date day time timestamp at datum tag zeit zeitpunkt fecha dia hora jour heure data
    """
)
UNSUBSCRIBED = _named(
    """
    unsub unsubscribed? optout opt_out opted_out abgemeldet abmeldung desabonne desinscrit baja
    """
)
SUBSCRIBED = _named(
    """
    optin opt_in confirm confirmed subscribed? subscription anmeldung angemeldet inscription
    suscripcion
    """
)
OF_DEAL = re.compile(
    r"(?:deal|opportunity|chance|negocio|oportunidad|affaire|opportunite|geschaft)"
    r"(?:_(?:id|name|title|titel|stage|status|value|owner|deal_created))?|stage_name"
)
"""Columns that only a list of deals has."""

EVENT = re.compile(
    r"(?:event|ereignis|evento|evenement|action|aktion|aktivitat|actividad|activite)"
    r"(?:_(?:name|type|typ|tipo|action))?|activity_type|name_des_ereignisses"
)
ID = re.compile(r"(?:.*_)?(?:id|uuid|guid|key)|id")
ID_OF_ROW = re.compile(r"id|uuid|guid|key|(?:record|row|object|hs_object)_id")
ID_OF_PERSON = re.compile(
    r"(?:.*_)?(?:contact|lead|person|user|mql|kontakt|contacto|persona|contato)_?(?:ids?|uuid|guid)"
)
ID_OF_VISITOR = re.compile(r"(?:.*_)?(?:anonymous|user_pseudo|visitor|cookie)_id")
AMOUNT = _named(
    """
    amount value revenue price mrr arr betrag wert umsatz auftragswert importe valor monto
    ingresos montant valeur importo valore
    """
)
NOT_OF_DEAL = _named(
    """
    annual declared lifetime jahresumsatz annuel anual probability weighted
    """
)
"""Amounts that are not what a deal is worth."""

COST = _named(
    """
    cost costs spend spent ad_spend kosten ausgaben gasto coste cout depense custo costo
    """
)
OF_MAIL = _named("marketing consent subscription subscriber optin email gdpr newsletter")
CURRENCY = _named("currency wahrung waehrung devise moneda divisa moeda valuta")
REASON = _named(
    """
    lost_reason loss_reason verlustgrund raison_de_la_perte motivo_de_la_perdida motivo_de_perdida
    lost_reason_text
    """
)

_WHERE_FROM: Mapping[str, str] = {
    "source": """
        utm_source source session_source first_user_source source_name origin quelle herkunft
        origen fuente provenance origine fonte
    """,
    "medium": "utm_medium medium session_medium first_user_medium medio support",
    "campaign": """
        utm_campaign campaign campaign_name session_campaign first_user_campaign kampagne
        kampagnenname campana campagne campanha campagna
    """,
    "term": "utm_term keyword search_term suchbegriff",
    "content": "utm_content ad_content",
    "url": "url page_url page page_location first_page_seen seiten_url",
    "referrer": """
        referrer referer referring_url referrer_url page_referrer first_referring_site
    """,
    "landing_page": "landing_page landing_page_url landingpage",
    "gclid": "gclid google_click_id",
    "fbclid": "fbclid facebook_click_id",
    "msclkid": "msclkid",
    "channel": """
        original_traffic_source original_source original_source_type traffic_source
        ursprungliche_traffic_quelle ursprungliche_quelle source_de_trafic_originale
        source_d_origine fuente_de_trafico_original fuente_original latest_traffic_source channel
        marketing_channel source_channel deal_source_channel lead_source_channel
        default_channel_group default_channel_grouping channel_group session_default_channel_group
        first_user_default_channel_group lead_source leadsource person_source kanal marketingkanal
        leadquelle lead_quelle canal canal_de_marketing source_du_lead source_du_prospect
        fuente_del_lead origem_do_lead canale
    """,
}
WHERE_FROM: Mapping[str, str] = {
    name: field for field, names in _WHERE_FROM.items() for name in names.split()
}
"""Where a person came from: the field of an origin by the name of a column."""
