"""What forms call the standard traits, in the languages of most forms.

Written by hand, after the words by which Chromium's autofill knows fields
(``components/autofill/core/common/autofill_regex_constants.cc``) and the labels of form builders.
Latin names are in snake_case without accents; those of other scripts stand as they are written.
"""

from collections.abc import Collection, Sequence
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from warmlead.sources.comparing import key_of

SPELLINGS = {
    "email": """
        email e_mail mail replyto reply_to kontakt_e_mail kontakt_email
        et_pb_contact_email email_address e_mail_address emailaddress mail_address email_addr
        email_id emailadresse email_adresse e_mail_adresse e_mailadresse mail_adresse mailadresse
        courriel adresse_e_mail adresse_email adresse_mail adresse_courriel adresse_de_courriel
        adresse_electronique correo correo_electronico direccion_de_correo direccion_email
        direccion_de_email direccion_de_correo_electronico correo_e indirizzo_email
        indirizzo_e_mail indirizzo_mail posta_elettronica indirizzo_di_posta_elettronica
        endereco_de_e_mail endereco_de_email endereco_email correio_eletronico correio_electronico
        endereco_eletronico emailadres e_mailadres e_mail_adres mailadres adres_e_mail adres_email
        adres_mailowy poczta_elektroniczna e_post epost e_postadress epostadress e_postadresse
        epostadresse mejl mejladress sahkoposti sahkopostiosoite e_posta eposta e_posta_adresi
        eposta_adresi emailova_adresa e_mailova_adresa adresa_de_e_mail adresa_de_email
        adresa_e_mail adresa_email e_mail_cim email_cim dia_chi_email ia_chi_email thu_dien_tu
        alamat_email surel e_pastas el_pastas e_pasts elektronska_posta elektronicka_posta
    """,
    "first_name": """
        first_name firstname fname given_name givenname forename name_first vorname prenom nombre
        nombre_de_pila nome primeiro_nome voornaam imie fornamn fornavn etunimi krestni_jmeno
        keresztnev prenume nama_depan
    """,
    "last_name": """
        last_name lastname lname family_name familyname surname name_last nachname familienname
        nom nom_de_famille apellido apellidos cognome sobrenome apelido ultimo_nome achternaam
        familienaam nazwisko efternamn etternavn efternavn sukunimi soyad soyadi prijmeni
        vezeteknev nama_belakang
    """,
    "name": """
        name full_name fullname name_full complete_name contact_name vor_und_nachname
        vorname_nachname vorname_und_nachname vollstandiger_name nom_complet nom_et_prenom
        prenom_et_nom nombre_completo nombre_y_apellido nombre_y_apellidos nome_completo
        nome_e_cognome naam volledige_naam voor_en_achternaam imie_i_nazwisko namn navn nimi
        ad_soyad adi_soyadi jmeno_a_prijmeni ho_ten ho_va_ten nama nama_lengkap
    """,
    "phone": """
        phone phone_number phonenumber telephone tel mobile mobile_phone mobile_number cell
        cell_phone cellphone telephone_number contact_number telefon telefonnummer rufnummer handy
        handynummer mobil mobilnummer mobiltelefon numero_de_telephone no_de_telephone
        telephone_portable tel_portable telefono numero_de_telefono telefono_movil movil celular
        numero_di_telefono cellulare numero_cellulare telefone numero_de_telefone telemovel
        telefoon telefoonnummer mobiel mobiele_nummer numer_telefonu nr_telefonu puhelin
        puhelinnumero telefon_numarasi telefonni_cislo so_dien_thoai nomor_telepon telepon
    """,
    "title": """
        title job_title jobtitle job_role job_position position occupation position_title
        berufsbezeichnung jobtitel jobbezeichnung stellenbezeichnung funktion
        position_im_unternehmen fonction poste intitule_de_poste intitule_du_poste puesto
        puesto_de_trabajo cargo_en_la_empresa cargo_na_empresa ruolo ruolo_aziendale qualifica
        posizione funcao functie functietitel stanowisko befattning stilling unvan pracovni_pozice
        chuc_vu jabatan
    """,
    "department": "department abteilung departement departamento dipartimento afdeling",
    "seniority": "seniority job_level",
    "company": """
        company company_name companyname name_of_company name_of_your_company organization
        organisation organization_name organisation_name org business_name employer account_name
        firma firmenname unternehmen unternehmensname name_des_unternehmens entreprise
        nom_de_l_entreprise nom_de_entreprise societe nom_de_la_societe raison_sociale empresa
        nombre_de_la_empresa nombre_de_empresa nome_da_empresa azienda nome_azienda
        nome_dell_azienda ragione_sociale societa bedrijf bedrijfsnaam nazwa_firmy foretag
        foretagsnamn virksomhed virksomhedsnavn firmanavn yritys sirket sirket_adi nazev_firmy
        cong_ty ten_cong_ty perusahaan nama_perusahaan
    """,
    "employees": """
        employees company_size companysize company_employees num_employees number_of_employees
        numberofemployees employee_count employees_count numemployees no_of_employees team_size
        organization_size organisation_size headcount size_of_company size_of_your_company
        how_many_employees how_many_employees_do_you_have
        how_many_employees_does_your_company_have how_many_people_work_at_your_company
        how_big_is_your_company how_large_is_your_company mitarbeiter mitarbeiterzahl
        mitarbeiteranzahl anzahl_mitarbeiter anzahl_der_mitarbeiter anzahl_mitarbeitende
        unternehmensgrosse unternehmensgroesse firmengrosse firmengroesse betriebsgrosse
        taille_de_l_entreprise taille_entreprise taille_de_la_societe nombre_d_employes
        nombre_de_salaries nombre_de_collaborateurs effectif effectifs tamano_de_la_empresa
        tamano_de_empresa tamano_empresa numero_de_empleados cantidad_de_empleados
        dimensione_azienda dimensioni_azienda dimensione_dell_azienda numero_di_dipendenti
        numero_dipendenti tamanho_da_empresa numero_de_funcionarios numero_de_colaboradores
        bedrijfsgrootte aantal_medewerkers aantal_werknemers wielkosc_firmy liczba_pracownikow
        antal_anstallda foretagsstorlek antal_ansatte antal_medarbejdere henkilostomaara
        calisan_sayisi pocet_zamestnancu
    """,
    "annual_revenue": """
        annual_revenue annualrevenue company_revenue company_annual_revenue jahresumsatz
        chiffre_d_affaires facturacion_anual fatturato faturamento_anual jaaromzet
    """,
    "industry": "industry company_industry sector branche secteur_d_activite settore",
    "website": "website company_website company_url company_domain homepage web_site webseite",
    "country": """
        country country_code countrycode country_name country_region country_or_region
        country_of_residence what_country_are_you_in which_country_are_you_in address_country
        location_country company_country company_address_country land pays pais paese nazione kraj
        maa ulke zeme orszag quoc_gia negara
    """,
    "region": """
        region state province address_state address_region state_region bundesland provincia
    """,
    "city": "city town address_city location_city stadt ort ville ciudad citta cidade miasto",
    "postal_code": """
        postal_code postalcode zip zip_code zipcode postcode address_postal_code address_zip
        address_postalcode plz postleitzahl code_postal codigo_postal cep
    """,
    "language": "language preferred_language lang sprache langue idioma lingua taal",
    "interests": "interests interest",
    "consent": "consent marketing_consent gdpr_consent opt_in",
}

_OTHER_SCRIPTS = {
    "email": """
        メールアドレス | メール | Eメール | Eメールアドレス | 電子メール | 電子メールアドレス
        | メルアド | 会社メールアドレス | 邮箱 | 电子邮箱 | 电子邮件 | 邮件 | 邮箱地址
        | 电子邮件地址 | 工作邮箱 | 公司邮箱 | 電子郵件 | 電郵 | 電郵地址 | 電子信箱
        | 電子郵件地址 | 電子郵箱 | 이메일 | 이메일 주소 | 전자우편 | 메일 | 메일 주소 | почта
        | электронная почта | эл. почта | e-mail адрес | имейл | адрес электронной почты
        | адрес эл. почты | емейл | рабочая почта | электронный адрес | електронна пошта | пошта
        | електронна адреса | имейл адрес | електронен адрес | ηλεκτρονικό ταχυδρομείο
        | διεύθυνση email | ηλεκτρονική διεύθυνση | ηλ. ταχυδρομείο | البريد الإلكتروني
        | بريد إلكتروني | بريدك الإلكتروني | الإيميل | إيميل | ایمیل | عنوان البريد الإلكتروني
        | پست الکترونیک | ای میل | דוא״ל | אימייל | מייל | דואר אלקטרוני | כתובת אימייל
        | כתובת מייל | כתובת דוא״ל | อีเมล | อีเมล์ | ที่อยู่อีเมล | ईमेल | ईमेल पता | ई-मेल
        | ইমেইল | ই-মেইল | மின்னஞ்சல் | ഇമെയിൽ | ელფოსტა | էլ. փոստ
    """,
    "first_name": "名 | 下の名前 | 이름 | имя | ім'я | όνομα | الاسم الأول | שם פרטי | ชื่อ",
    "last_name": "姓 | 苗字 | 성 | фамилия | прізвище | επώνυμο | اسم العائلة | שם משפחה | นามสกุล",
    "name": """
        名前 | お名前 | 氏名 | ご氏名 | ご担当者名 | 担当者名 | 姓名 | 성명 | 성함 | фио | ф.и.о.
        | полное имя | имя и фамилия | ονοματεπώνυμο | الاسم | الاسم الكامل | שם | שם מלא
        | ชื่อ-นามสกุล | नाम | पूरा नाम
    """,
    "phone": """
        電話 | 電話番号 | お電話番号 | 携帯電話 | 携帯番号 | 电话 | 电话号码 | 手机 | 手机号
        | 手机号码 | 联系电话 | 電話號碼 | 手機 | 手機號碼 | 전화 | 전화번호 | 연락처 | 휴대폰
        | 휴대폰 번호 | 휴대전화 | телефон | номер телефона | мобильный телефон | номер телефону
        | τηλέφωνο | кинητό | الهاتف | رقم الهاتف | رقم الجوال | טלפון | מספר טלפון | נייד
        | โทรศัพท์ | เบอร์โทรศัพท์ | फ़ोन | फ़ोन नंबर | मोबाइल नंबर
    """,
    "title": """
        役職 | 役職名 | 職種 | 职位 | 职务 | 職稱 | 職位 | 직책 | 직위 | 직급 | должность | посада
        | θέση εργασίας | المسمى الوظيفي | תפקיד | ตำแหน่ง | पद
    """,
    "department": "部署 | 部署名 | 部门 | 部門 | 부서 | отдел",
    "company": """
        会社名 | 会社 | 企業名 | 御社名 | 貴社名 | 組織名 | 公司 | 公司名称 | 企业名称 | 公司名稱
        | 单位 | 회사 | 회사명 | 기업명 | 소속 | компания | название компании | организация
        | компанія | εταιρεία | الشركة | اسم الشركة | חברה | שם החברה | บริษัท | ชื่อบริษัท
        | कंपनी | कंपनी का नाम
    """,
    "employees": """
        従業員数 | 社員数 | 従業員規模 | 企業規模 | 公司规模 | 企业规模 | 员工人数 | 员工数量
        | 公司規模 | 員工人數 | 직원 수 | 직원수 | 회사 규모 | 기업 규모 | 임직원 수
        | число сотрудников | количество сотрудников | численность сотрудников | размер компании
        | кількість співробітників | عدد الموظفين | حجم الشركة | מספר עובדים | จำนวนพนักงาน
    """,
    "country": """
        国 | 国名 | 国・地域 | 国家 | 国家/地区 | 國家 | 國家/地區 | 국가 | 나라 | страна | країна
        | χώρα | الدولة | البلد | מדינה | ארץ | ประเทศ | देश
    """,
}

_BEFORE = """
    contact lead person customer visitor subscriber applicant respondent data fields merges answers
    attributes traits properties submission payload response responses questions body record
    invitee your the my our please enter type provide whats
    bitte ihre ihr deine dein votre vos ton ta tu su sus il la l el tuo tua vostro vostra o seu sua
    uw je jouw din ditt twoj twoja
"""
"""Words that say nothing of what a field holds. ``form`` is none: a form has a name too."""

_BEFORE_IN_TWO = "merge_fields form_fields what_is what_s wie_lautet was_ist quel_est quelle_est"
_BEFORE_IN_TWO += " form_response form_data form_submission form_values custom_fields"
_BEFORE_IN_TWO += " custom_field user_column column_data questions_and field_data field_values"
_BEFORE_IN_TWO += " cual_es qual_e wat_is wie_ist"

_AFTER = """
    required optional mandatory field input here please pflichtfeld erforderlich obligatoire requis
    obligatorio obligatoria requerido verplicht richiesto obrigatorio wymagane
"""
_IN_WORK = """
    work business corporate professional office official primary main personal private direct
    geschaftliche geschaftlich geschaeftliche geschaeftlich dienstliche dienstlich berufliche
    beruflich private privat professionnel professionnelle pro corporativo corporativa empresarial
    profesional laboral trabajo aziendale lavoro zakelijk zakelijke comercial profissional
    sluzbowy sluzbowa firmowy de del da di
"""
_OF_SITE = "main office official"
"""Before an address these may mean that of the site itself, where there is a better one."""

_OF_COMPANY = "company user firmen"
"""Before an address these mean the person's own; a company's telephone is not the person's."""

_AROUND_ORIGINS = """
    form meta hidden context tracking params parameters query custom utm page visit session response
"""
"""Groups in which the origin of a visit stands. ``first`` and ``last`` are none: those differ."""

_SALUTATIONS = """
    mr mrs ms miss mx sir madam dr prof herr frau herrn monsieur madame mademoiselle m mme mlle
    señor señora señorita sr sra srta signor signora signore sig sig.ra senhor senhora dhr mevr
    mevrouw meneer pan pani hr fru bay bayan
"""

_NO_NAMES = """
    mr mrs mx madam dr prof herr frau herrn monsieur madame mademoiselle mme mlle señor señora
    señorita signor signora sig.ra senhor senhora dhr mevr mevrouw meneer
"""
_LONGEST_SALUTATION = 40

_REQUIRED = """
    必須 | 任意 | 必填 | 选填 | 選填 | 필수 | 선택 | обязательно | обязательное поле | مطلوب | חובה
    | required | optional
"""
_POLITE = ("您的", "你的", "ваша", "ваше", "ваш", "ваші", "お", "ご", "귀하의")

_QUESTION = 3
"""A question as ``q4`` numbers it has so many digits at most."""


@cache
def _latin() -> MappingProxyType[str, str]:
    return MappingProxyType(
        {spelling: trait for trait, text in SPELLINGS.items() for spelling in text.split()}
    )


@cache
def _others() -> MappingProxyType[str, str]:
    """Made when the first label of another script comes."""
    return MappingProxyType(
        {key_of(one): trait for trait, text in _OTHER_SCRIPTS.items() for one in text.split("|")}
    )


@cache
def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


@cache
def _required() -> frozenset[str]:
    return frozenset(key_of(word) for word in _REQUIRED.split("|"))


def trait_of_label(label: str) -> str | None:
    """The trait that a label in another script than Latin means; ``None`` if it is none we know.

    ``メールアドレス（必須）`` is ``email``. The caller has looked at the label's length.
    """
    text = label.strip().rstrip("*＊:： ")
    before, _, inside = text.replace("（", "(").replace("【", "(").partition("(")
    if inside and before.strip() and key_of(inside) in _required():
        text = before
    found = _others().get(key_of(text))
    if found:
        return found
    polite = next((word for word in _POLITE if text.lower().startswith(word)), None)
    return _others().get(key_of(text[len(polite) :])) if polite else None


class Meaning(NamedTuple):
    """What a name means: the trait, the group in which it stands, and how surely it is theirs.

    ``group`` is the beginning of the name up to the trait, with the ``_`` behind it. ``rank`` is 0
    for a plain name, 1 for one at work or whichever other of the person's own, 2 for one that may
    be a company's or a user's of the sending tool.
    """

    trait: str
    group: str
    rank: int


def trait_of_name(name: str) -> str | None:
    """The trait that a name in snake_case means; ``None`` if it is none we know.

    Words that say nothing are passed over: ``what_is_your_email``, ``fields_email_value``.
    """
    meaning = meaning_of_name(name)
    return meaning.trait if meaning else None


def meaning_of_name(name: str) -> Meaning | None:
    """What a name in snake_case means; ``None`` if it is no trait we know."""
    words = name.split("_")
    found = _meaning(words)
    bare = words[-1].rstrip("0123456789")
    if found or not bare or len(words[-1]) - len(bare) not in (1, 2):
        return found
    return _meaning([*words[:-1], bare])  # Jotform's q3_email3


def _meaning(words: Sequence[str]) -> Meaning | None:
    starts = list(_starts(words))
    for start in starts:
        for end in _ends(words, grouped=start > 0):
            if found := _latin().get("_".join(words[start:end])):
                rank = int(words[start] in ("reply", "replyto"))
                return Meaning(found, _group(words[:start]), rank)
    start = starts[-1]
    return _of_work(words[start : min(_ends(words, grouped=True))], _group(words[:start]))


def _group(words: Sequence[str]) -> str:
    return "".join(f"{word}_" for word in words)


def origin_of_name(name: str, origins: Collection[str]) -> str | None:
    """Which of some names of origins a grouped name is: ``form_fields_utm_source_value``."""
    if name in origins:
        return name
    words = name.split("_")
    start = 0
    while start < len(words) - 1 and (
        words[start] in _set(_BEFORE) | _set(_AROUND_ORIGINS) or _is_question(words[start])
    ):
        start += 1
    end = len(words) - 1 if words[-1] == "value" else len(words)
    # A group may be called like the first word of an origin: ``page`` of ``page_url``.
    for first in range(start, max(start - 3, -1), -1):
        if (found := "_".join(words[first:end])) in origins:
            return found
    return None


def is_salutation(text: str, *, may_be_a_name: bool = True) -> bool:
    """Whether a text is how somebody is addressed, which forms call a title too.

    Some are names as well, such as Pan, Bay and M: ``may_be_a_name=False`` leaves those out.
    """
    if len(text) > _LONGEST_SALUTATION:
        return False
    bare = text.strip().rstrip(".").casefold()
    if may_be_a_name or text.strip().endswith("."):
        return bare in _set(_SALUTATIONS)
    return bare in _set(_NO_NAMES)


def _starts(words: Sequence[str]) -> list[int]:
    """Where the name may begin: at its first word, and behind each word that says nothing."""
    starts = [0]
    while (at := starts[-1]) < len(words) - 1:
        if "_".join(words[at : at + 2]) in _set(_BEFORE_IN_TWO):
            starts.append(at + 2)
        elif words[at] == "field" and words[at + 1].isdecimal() and at + 2 < len(words):
            starts.append(at + 2)  # "1. Email"
        elif words[at] in _set(_BEFORE) or _is_question(words[at]):
            starts.append(at + 1)
        else:
            break
    return starts


def _is_question(word: str) -> bool:
    return word[:1] == "q" and word[1:].isdecimal() and len(word) <= 1 + _QUESTION


def _ends(words: Sequence[str], *, grouped: bool) -> list[int]:
    """Where the name may end. ``value`` says nothing in ``fields[email][value]`` alone."""
    ends = [len(words)]
    while ends[-1] > 1:
        last = words[ends[-1] - 1]
        counts = last.isdecimal() and len(last) <= 2  # noqa: PLR2004  # Email 2, Email-10
        is_custom = last == "c"  # Salesforce's mark of fields that are not its own
        if not (counts or is_custom or last in _set(_AFTER) or (grouped and last == "value")):
            break
        ends.append(ends[-1] - 1)
    return ends


def _of_work(words: Sequence[str], group: str) -> Meaning | None:
    """An address or a telephone at work, or whichever other of the person's own."""
    first, last = 0, len(words)
    of_company = of_site = False
    while first < last and words[first] in (_set(_IN_WORK) | _set(_OF_COMPANY)):
        of_company |= words[first] in _set(_OF_COMPANY)
        of_site |= words[first] in _set(_OF_SITE)
        first += 1
    while first < last and words[last - 1] in _set(_IN_WORK):
        of_site |= words[last - 1] in _set(_OF_SITE)
        last -= 1
    found = _latin().get("_".join(words[first:last]))
    if found == "email" or (found == "phone" and not of_company):
        return Meaning(found, group, 2 if of_company or of_site else 1)
    return None
