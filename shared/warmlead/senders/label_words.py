"""What forms call the standard traits, and the words that stand around it, by language.

The one table of labels: en, de, fr, es, pt, it, nl, pl, sv, da, nb, fi, cs, tr, ru, uk, ja, ko, zh
(simplified and traditional), ar, he, hi, id, vi and some neighbours. Written by hand, after the
words by which Chromium's autofill knows fields
(``components/autofill/core/common/autofill_regex_constants.cc``) and the labels of form builders.
Latin names are in snake_case without accents; those of other scripts stand as they are written.
How a label is read with them: ``senders.labels``.
"""

SPELLINGS = {
    "email": """
        email e_mail mail replyto reply_to kontakt_e_mail kontakt_email et_pb_contact_email
        email_address e_mail_address emailaddress mail_address email_addr email_id emailadresse
        email_adresse e_mail_adresse e_mailadresse mail_adresse mailadresse courriel
        adresse_e_mail adresse_email adresse_mail adresse_courriel adresse_de_courriel
        adresse_electronique correo correo_electronico direccion_de_correo direccion_email
        direccion_de_email direccion_de_correo_electronico correo_e indirizzo_email
        indirizzo_e_mail indirizzo_mail posta_elettronica indirizzo_di_posta_elettronica
        endereco_de_e_mail endereco_de_email endereco_email correio_eletronico
        correio_electronico endereco_eletronico emailadres e_mailadres e_mail_adres mailadres
        adres_e_mail adres_email adres_mailowy poczta_elektroniczna e_post epost e_postadress
        epostadress e_postadresse epostadresse mejl mejladress sahkoposti sahkopostiosoite
        e_posta eposta e_posta_adresi eposta_adresi emailova_adresa e_mailova_adresa
        adresa_de_e_mail adresa_de_email adresa_e_mail adresa_email e_mail_cim email_cim
        dia_chi_email thu_dien_tu alamat_email surel e_pastas el_pastas e_pasts
        elektronska_posta elektronicka_posta firmenmail firmenemail geschaftsmail geschaeftsmail
        geschafts_e_mail geschaefts_e_mail geschafts_email arbeitsmail arbeits_e_mail dienstmail
        dienst_e_mail mailadress jobbmejl jobbmail jobb_e_post jobbepost foretagsmejl
        e_postadress_jobb arbejdsmail arbejds_e_mail arbejds_email firmamail werkmail
        werk_e_mail bedrijfsmail e_mail_osoite tyosahkoposti sahkopostiosoitteesi sahkopostisi
        firemni_e_mail firemni_email pracovni_e_mail pracovni_email is_e_postasi
        is_e_posta_adresi kurumsal_e_posta kurumsal_e_posta_adresi sirket_e_postasi e_postaniz
        e_posta_adresiniz email_kantor email_kerja email_perusahaan alamat_e_mail email_cong_ty
        email_cong_viec dia_chi_email_cong_viec dia_chi_email_cong_ty dia_chi_e_mail
        adresse_de_messagerie adresse_de_courrier_electronique direccion_de_mail
        direccion_electronica direccion_de_correo_de_trabajo recapito_email
    """,
    "first_name": """
        first_name firstname fname given_name givenname forename name_first vorname prenom
        nombre nombre_de_pila nome primeiro_nome voornaam imie fornamn fornavn etunimi
        krestni_jmeno keresztnev prenume nama_depan primer_nombre prenoms primo_nome
        nome_proprio rufname etunimesi jmeno adi adiniz isim isminiz ilk_ad ten_goi
    """,
    "last_name": """
        last_name lastname lname family_name familyname surname name_last nachname
        familienname nom nom_de_famille apellido apellidos cognome sobrenome apelido
        ultimo_nome achternaam familienaam nazwisko efternamn etternavn efternavn sukunimi
        soyad soyadi prijmeni vezeteknev nama_belakang zuname primer_apellido
        segundo_apellido nom_de_naissance nomes_apelidos ultimo_sobrenome sukunimesi
        soyadiniz soy_isim soyisim ho_dem
    """,
    "name": """
        name full_name fullname name_full complete_name contact_name vor_und_nachname
        vorname_nachname vorname_und_nachname vollstandiger_name nom_complet nom_et_prenom
        prenom_et_nom nombre_completo nombre_y_apellido nombre_y_apellidos nome_completo
        nome_e_cognome naam volledige_naam voor_en_achternaam imie_i_nazwisko namn navn nimi
        ad_soyad adi_soyadi jmeno_a_prijmeni ho_ten ho_va_ten nama nama_lengkap
        your_full_name nachname_vorname name_vorname vorname_name nom_prenom prenom_nom
        nom_prenoms nom_et_prenoms prenoms_et_nom nome_cognome cognome_nome cognome_e_nome
        nome_e_sobrenome nombre_apellidos nombres_y_apellidos apellidos_y_nombre
        achternaam_voornaam voornaam_en_achternaam imie_nazwisko nazwisko_i_imie
        for_och_efternamn fornamn_och_efternamn for_og_etternavn for_og_efternavn
        fornavn_og_etternavn fornavn_og_efternavn fullt_namn fullt_navn fulde_navn
        etu_ja_sukunimi koko_nimi jmeno_prijmeni cele_jmeno adiniz_soyadiniz ad_ve_soyad
        ad_soyadi isim_soyisim tam_ad ho_ten_day_du ten_day_du ansprechpartner
        ansprechperson ansprechpartner_in ansprechpartnerin kontaktperson
        first_and_last_name first_last_name name_surname name_and_surname
        wie_heissen_sie wie_heisst_du comment_vous_appelez_vous comment_t_appelles_tu
        como_te_llamas como_se_llama come_ti_chiami come_si_chiama hoe_heet_je hoe_heet_u
        como_voce_se_chama what_are_you_called
    """,
    "phone": """
        phone phone_number phonenumber telephone tel mobile mobile_phone mobile_number cell
        cell_phone cellphone telephone_number contact_number telefon telefonnummer rufnummer
        handy handynummer mobil mobilnummer mobiltelefon numero_de_telephone no_de_telephone
        telephone_portable tel_portable telefono numero_de_telefono telefono_movil movil
        celular numero_di_telefono cellulare numero_cellulare telefone numero_de_telefone
        telemovel telefoon telefoonnummer mobiel mobiele_nummer numer_telefonu nr_telefonu
        puhelin puhelinnumero telefon_numarasi telefonni_cislo so_dien_thoai nomor_telepon
        telepon phone_no tel_no telephone_no mobile_no mobile_telephone contact_no tel_nr
        telefonnr telefon_nr handynr mobilnr mobiltelefonnummer tlf tlf_nr
        telefonnummer_mobil mobiltlf mobil_telefonnummer numero_telephone num_telephone
        n_de_telephone numero_de_mobile numero_de_portable numero_telefono numero_celular
        numero_de_celular numero_de_contacto telefono_de_contacto telefone_celular
        numero_telefone numero_de_contato telefone_de_contato recapito_telefonico
        numero_di_cellulare mobiel_nummer gsm gsm_nummer numer_tel nr_tel telefon_komorkowy
        numer_komorkowy matkapuhelin matkapuhelinnumero puhelinnumerosi mobilni_telefon
        cislo_telefonu cep_telefonu cep_telefonunuz telefonunuz telefon_numaraniz
        gsm_numarasi dien_thoai dien_thoai_di_dong so_di_dong no_hp nomor_hp no_telepon
        nomor_ponsel nomor_handphone ruckrufnummer rueckrufnummer
    """,
    "title": """
        title job_title jobtitle job_role job_position position occupation position_title
        berufsbezeichnung jobtitel jobbezeichnung stellenbezeichnung funktion
        position_im_unternehmen fonction poste intitule_de_poste intitule_du_poste puesto
        puesto_de_trabajo cargo_en_la_empresa cargo_na_empresa ruolo ruolo_aziendale
        qualifica posizione funcao functie functietitel stanowisko befattning stilling unvan
        pracovni_pozice chuc_vu jabatan role rol roll rolle cargo cargo_actual posicion
        posicao posisi pozice pozisyon gorev gorevi goreviniz unvaniniz is_unvani rola
        rola_w_firmie funkcja stanowisko_pracy tehtavanimike titteli ammattinimike
        stillingsbetegnelse stillingstittel yrkestitel yrkesroll tjanstetitel yrke
        berufliche_position beruf taetigkeit tatigkeit position_in_der_firma
        rolle_im_unternehmen funktion_im_unternehmen poste_occupe position_dans_l_entreprise
        role_dans_l_entreprise fonction_dans_l_entreprise metier puesto_actual cargo_puesto
        rol_en_la_empresa posicion_en_la_empresa profesion profissao cargo_atual
        posizione_lavorativa posizione_in_azienda professione ruolo_in_azienda mansione
        functienaam rol_binnen_het_bedrijf rolle_i_virksomheden rolle_i_bedriften funkce
        pracovni_zarazeni pracovni_role vi_tri_cong_viec chuc_danh jabatan_pekerjaan
        posisi_jabatan role_in_company role_at_company role_in_the_company
        position_in_company position_at_company current_role current_position
        current_job_title
        role_at_your_company role_in_your_company role_at_the_company position_at_your_company
        role_at position_at role_at_your_organization role_at_your_organisation
        welche_position_haben_sie welche_rolle_haben_sie quel_poste_occupez_vous
    """,
    "department": "department abteilung departement departamento dipartimento afdeling",
    "seniority": "seniority job_level",
    "company": """
        company company_name companyname name_of_company name_of_your_company organization
        organisation organization_name organisation_name org business_name employer
        account_name firma firmenname unternehmen unternehmensname name_des_unternehmens
        entreprise nom_de_l_entreprise nom_de_entreprise societe nom_de_la_societe
        raison_sociale empresa nombre_de_la_empresa nombre_de_empresa nome_da_empresa
        azienda nome_azienda nome_dell_azienda ragione_sociale societa bedrijf bedrijfsnaam
        nazwa_firmy foretag foretagsnamn virksomhed virksomhedsnavn firmanavn yritys sirket
        sirket_adi nazev_firmy cong_ty ten_cong_ty perusahaan nama_perusahaan company_s_name
        name_of_the_company name_of_organization name_of_organisation firm_name
        your_company_name name_der_firma name_ihres_unternehmens name_ihrer_firma
        arbeitgeber organisationsname nom_entreprise nom_societe nom_de_votre_entreprise
        nom_de_votre_societe nom_de_l_organisation employeur nombre_empresa compania
        nombre_de_su_empresa nombre_de_tu_empresa nombre_de_la_compania organizacion
        razon_social nome_empresa empresa_organizacao organizacao nome_da_organizacao
        razao_social nome_della_societa nome_societa organizzazione naam_bedrijf
        naam_van_het_bedrijf naam_organisatie organisatie bedrijfs_naam
        nazwa_przedsiebiorstwa przedsiebiorstwo organizacja foretagets_namn
        organisationens_namn bolag bolagsnamn arbetsgivare virksomhedens_navn firmaets_navn
        bedrift bedriftsnavn bedriftens_navn selskap selskapsnavn organisasjon
        yrityksen_nimi yrityksesi organisaatio spolecnost nazev_spolecnosti organizace kurum
        kurum_adi sirketiniz sirketinizin_adi firma_adi ten_doanh_nghiep doanh_nghiep
        to_chuc nama_organisasi organisasi instansi
        which_company_do_you_work_for what_company_do_you_work_for who_do_you_work_for
        which_company_are_you_with which_company_are_you_from company_called
        in_welchem_unternehmen_arbeiten_sie bei_welchem_unternehmen_arbeiten_sie
        fur_welches_unternehmen_arbeiten_sie fuer_welches_unternehmen_arbeiten_sie
        wie_heisst_ihr_unternehmen wie_heisst_ihre_firma wie_heisst_dein_unternehmen
        pour_quelle_entreprise_travaillez_vous dans_quelle_entreprise_travaillez_vous
        en_que_empresa_trabajas en_que_empresa_trabaja para_que_empresa_trabajas
        in_quale_azienda_lavori per_quale_azienda_lavori in_quale_azienda_lavora
        voor_welk_bedrijf_werk_je voor_welk_bedrijf_werkt_u bij_welk_bedrijf_werk_je
        em_que_empresa_trabalha em_qual_empresa_voce_trabalha
    """,
    "employees": """
        employees company_size companysize company_employees num_employees
        number_of_employees numberofemployees employee_count employees_count numemployees
        no_of_employees team_size organization_size organisation_size headcount
        size_of_company size_of_your_company how_many_employees
        how_many_employees_do_you_have how_many_employees_does_your_company_have
        how_many_people_work_at_your_company how_big_is_your_company
        how_large_is_your_company mitarbeiter mitarbeiterzahl mitarbeiteranzahl
        anzahl_mitarbeiter anzahl_der_mitarbeiter anzahl_mitarbeitende unternehmensgrosse
        unternehmensgroesse firmengrosse firmengroesse betriebsgrosse taille_de_l_entreprise
        taille_entreprise taille_de_la_societe nombre_d_employes nombre_de_salaries
        nombre_de_collaborateurs effectif effectifs tamano_de_la_empresa tamano_de_empresa
        tamano_empresa numero_de_empleados cantidad_de_empleados dimensione_azienda
        dimensioni_azienda dimensione_dell_azienda numero_di_dipendenti numero_dipendenti
        tamanho_da_empresa numero_de_funcionarios numero_de_colaboradores bedrijfsgrootte
        aantal_medewerkers aantal_werknemers wielkosc_firmy liczba_pracownikow
        antal_anstallda foretagsstorlek antal_ansatte antal_medarbejdere henkilostomaara
        calisan_sayisi pocet_zamestnancu number_of_staff staff_size staff_count
        company_headcount employee_size size_of_organization size_of_organisation
        size_of_the_company grosse_des_unternehmens groesse_des_unternehmens
        wie_viele_mitarbeiter wie_viele_mitarbeiter_hat_ihr_unternehmen anzahl_beschaftigte
        anzahl_der_beschaftigten anzahl_angestellte anzahl_mitarbeiterinnen
        mitarbeitende anzahl_der_mitarbeitenden zahl_der_mitarbeiter zahl_der_mitarbeitenden
        zahl_der_beschaftigten beschaftigte beschaftigtenzahl wie_viele_mitarbeiter_haben_sie
        wie_viele_mitarbeitende wie_viele_mitarbeitende_haben_sie
        taille_de_votre_entreprise taille_de_l_organisation taille_de_l_equipe
        nombre_employes nombre_salaries effectif_de_l_entreprise nb_de_salaries
        nb_d_employes tamano_de_su_empresa tamano_de_tu_empresa tamano_de_la_organizacion
        numero_empleados cuantos_empleados n_de_empleados tamanho_empresa
        quantidade_de_funcionarios numero_de_empregados quantos_funcionarios
        n_de_funcionarios porte_da_empresa numero_de_trabajadores numero_addetti
        numero_di_addetti dimensioni_dell_azienda numero_collaboratori quanti_dipendenti
        aantal_personeelsleden omvang_bedrijf grootte_van_het_bedrijf bedrijfsomvang
        hoeveel_medewerkers wielkosc_przedsiebiorstwa ilosc_pracownikow liczba_zatrudnionych
        rozmiar_firmy antal_medarbetare foretagets_storlek storlek_pa_foretaget
        virksomhedens_storrelse virksomhedsstorrelse bedriftsstorrelse bedriftens_storrelse
        antall_ansatte firmastorrelse yrityksen_koko tyontekijoiden_maara tyontekijamaara
        henkiloston_maara velikost_firmy velikost_spolecnosti pocet_pracovniku
        sirket_buyuklugu sirketin_buyuklugu personel_sayisi calisan_sayiniz quy_mo_cong_ty
        quy_mo_doanh_nghiep so_luong_nhan_vien so_nhan_vien jumlah_karyawan
        ukuran_perusahaan skala_perusahaan jumlah_pegawai
        how_many_people_does_your_company_employ how_many_people_work_in_your_company
        wie_viele_mitarbeitende_hat_ihr_unternehmen wie_gross_ist_ihr_unternehmen
        combien_d_employes_compte_votre_entreprise combien_de_salaries_compte_votre_entreprise
        cuantos_empleados_tiene_tu_empresa cuantos_empleados_tiene_su_empresa
        quanti_dipendenti_ha_la_tua_azienda quantos_funcionarios_tem_a_sua_empresa
        hoeveel_medewerkers_heeft_je_bedrijf hoeveel_medewerkers_heeft_uw_bedrijf
    """,
    "annual_revenue": """
        annual_revenue annualrevenue company_revenue company_annual_revenue jahresumsatz
        chiffre_d_affaires facturacion_anual fatturato faturamento_anual jaaromzet
    """,
    "industry": """
        industry company_industry sector branche secteur_d_activite settore
        what_industry_are_you_in which_industry_are_you_in what_industry_do_you_work_in
        which_industry_do_you_work_in in_welcher_branche_sind_sie_tatig
    """,
    "website": """
        website company_website company_url company_domain homepage web_site webseite
        website_url website_address web_address webadresse internetseite internetadresse
        webauftritt firmenwebsite unternehmenswebsite site_web site_internet
        adresse_du_site_web url_du_site_web sitio_web pagina_web pagina_de_internet
        website_da_empresa site_da_empresa pagina_da_web sito_web sito_internet
        sito_aziendale bedrijfswebsite strona_internetowa strona_www hemsida webbplats
        webbsida hjemmeside nettside nettsted verkkosivusto verkkosivut kotisivu www
        webove_stranky webova_stranka internetove_stranky web_sitesi internet_sitesi
        web_siteniz trang_web situs_web url_website
    """,
    "country": """
        country country_code countrycode country_name country_region country_or_region
        country_of_residence what_country_are_you_in which_country_are_you_in
        address_country location_country company_country company_address_country land pays
        pais paese nazione kraj maa ulke zeme orszag quoc_gia negara country_territory
        country_or_territory country_area country_location your_country_region land_region
        land_oder_region pays_region pays_ou_region pays_de_residence pais_region
        pais_o_region pais_ou_regiao pais_regiao pais_de_residencia paese_regione
        paese_di_residenza nazione_regione kraj_region panstwo land_gebied land_of_regio
        land_regio land_eller_region maa_alue zeme_region zeme_nebo_oblast ulke_bolge
        ulkeniz quoc_gia_khu_vuc quoc_gia_vung negara_wilayah
        which_country_are_you_based_in what_country_are_you_based_in
        what_country_do_you_live_in which_country_do_you_live_in in_welchem_land_leben_sie
    """,
    "region": """
        region state province address_state address_region state_region bundesland provincia
        regiao regione regio wojewodztwo fylke maakunta kanton canton comunidad_autonoma
        tinh_thanh provinsi
    """,
    "city": """
        city town address_city location_city stadt ort ville ciudad citta cidade miasto
        localidad localidade comune stad plaats woonplaats miejscowosc kaupunki paikkakunta
        mesto obec sehir sehriniz thanh_pho kota wohnort commune
    """,
    "postal_code": """
        postal_code postalcode zip zip_code zipcode postcode address_postal_code address_zip
        address_postalcode plz postleitzahl code_postal codigo_postal cep
    """,
    "language": "language preferred_language lang sprache langue idioma lingua taal",
    "time_zone": "time_zone timezone zeitzone fuseau_horaire zona_horaria fuso_orario tijdzone",
    "interests": "interests interest",
    "consent": """
        consent marketing_consent gdpr_consent opt_in einwilligung zustimmung
        einwilligungserklarung consentement consentimiento consentimento consenso
        toestemming zgoda samtycke samtykke suostumus souhlas dong_y persetujuan
        marketing_einwilligung consentement_marketing consenso_marketing
        consentimiento_marketing zgoda_marketingowa
    """,
}

OTHER_SCRIPTS = {
    "email": """
        メールアドレス | メール | Eメール | Eメールアドレス | 電子メール | 電子メールアドレス
        | メルアド | 邮箱 | 电子邮箱 | 电子邮件 | 邮件 | 邮箱地址 | 电子邮件地址 | 電子郵件
        | 電郵 | 電郵地址 | 電子信箱 | 電子郵件地址 | 電子郵箱 | 이메일 | 이메일 주소 | 전자우편
        | 메일 | 메일 주소 | почта | электронная почта | эл. почта | e-mail адрес | имейл
        | адрес электронной почты | адрес эл. почты | емейл | электронный адрес
        | електронна пошта | пошта | електронна адреса | имейл адрес | електронен адрес
        | ηλεκτρονικό ταχυδρομείο | διεύθυνση email | ηλεκτρονική διεύθυνση | ηλ. ταχυδρομείο
        | البريد الإلكتروني | بريد إلكتروني | بريدك الإلكتروني | الإيميل | إيميل | ایمیل
        | عنوان البريد الإلكتروني | پست الکترونیک | דוא״ל | אימייל | מייל | דואר אלקטרוני
        | כתובת אימייל | כתובת מייל | כתובת דוא״ל | อีเมล | อีเมล์ | ที่อยู่อีเมล | ईमेल
        | ईमेल पता | ইমেইল | மின்னஞ்சல் | ഇമെയിൽ | ელფოსტა | էլ. փոստ | ご連絡先メールアドレス
        | 連絡先メールアドレス | 电邮 | 电邮地址 | 信箱 | 電子信箱地址 | 郵箱 | 電郵信箱
        | 전자메일 | адрес почты | адрес email | електронна адреса пошти | емейл адреса
        | البريد الالكتروني الخاص بك | عنوان البريد | כתובת דואר אלקטרוני | ईमेल आईडी
    """,
    "first_name": """
        名 | 下の名前 | 이름 | имя | ім'я | όνομα | الاسم الأول | שם פרטי | ชื่อ | お名前（名）
        | ファーストネーム | 이름(성 제외) | प्रथम नाम | पहला नाम
    """,
    "last_name": """
        姓 | 苗字 | 성 | фамилия | прізвище | επώνυμο | اسم العائلة | שם משפחה | นามสกุล
        | 名字（姓） | ラストネーム | お名前（姓） | 姓氏 | 성(씨) | اللقب | الاسم الأخير
        | اسم العائله | शेष नाम | उपनाम | अंतिम नाम | משפחה
    """,
    "name": """
        名前 | お名前 | 氏名 | ご氏名 | ご担当者名 | 担当者名 | 姓名 | 성명 | 성함 | фио
        | полное имя | имя и фамилия | ονοματεπώνυμο | الاسم | الاسم الكامل | שם | שם מלא
        | ชื่อ-นามสกุล | नाम | पूरा नाम | フルネーム | お名前（フルネーム） | ご担当者様氏名
        | ご担当者様名 | ご担当者氏名 | 担当者氏名 | 联系人 | 联系人姓名 | 您的姓名 | 聯絡人
        | 聯絡人姓名 | 聯絡姓名 | 담당자명 | 담당자 이름 | 담당자 성함 | 성명(이름)
        | фамилия и имя | имя фамилия | фамилия имя | фамилия имя отчество | контактное лицо
        | піб | ім'я та прізвище | повне ім'я | الاسم بالكامل | اسمك
        | שם ומשפחה | שם פרטי ומשפחה | आपका नाम
    """,
    "phone": """
        電話 | 電話番号 | お電話番号 | 携帯電話 | 携帯番号 | 电话 | 电话号码 | 手机 | 手机号
        | 手机号码 | 联系电话 | 電話號碼 | 手機 | 手機號碼 | 전화 | 전화번호 | 연락처 | 휴대폰
        | 휴대폰 번호 | 휴대전화 | телефон | номер телефона | мобильный телефон | номер телефону
        | τηλέφωνο | кинητό | الهاتف | رقم الهاتف | رقم الجوال | טלפון | מספר טלפון | נייד
        | โทรศัพท์ | เบอร์โทรศัพท์ | फ़ोन | फ़ोन नंबर | मोबाइल नंबर | 電話番号（携帯）
        | ご連絡先電話番号 | 連絡先電話番号 | 携帯電話番号 | ＴＥＬ | 联系方式电话 | 手机电话
        | 聯絡電話 | 行動電話 | 連絡電話 | 휴대전화번호 | 연락 전화번호 | 핸드폰 | 핸드폰 번호
        | мобильный | номер мобильного телефона | контактный телефон | мобільний телефон
        | контактний телефон | رقم الهاتف المحمول | الجوال | رقم التليفون | جوال | الموبايل
        | هاتف | טלפון נייד | מספר נייד | פלאפון | मोबाइल | दूरभाष
    """,
    "title": """
        役職 | 役職名 | 職種 | 职位 | 职务 | 職稱 | 職位 | 직책 | 직위 | 직급 | должность
        | посада | θέση εργασίας | المسمى الوظيفي | תפקיד | ตำแหน่ง | पद | 肩書き | 肩書
        | ご役職 | 職位・役職 | お役職 | 職業 | 担当職種 | 职称 | 岗位 | 职业 | 職務 | 職務名稱
        | 您的职位 | 직함 | 직무 | 직종 | 직책명 | позиция | роль | роль в компании
        | должность в компании | посада в компанії | роль у компанії | المنصب | الوظيفة
        | المسمى الوظيفى | الدور الوظيفي | תואר תפקיד | תפקיד בחברה | משרה | पदनाम
        | नौकरी का शीर्षक | भूमिका
    """,
    "department": """
        部署 | 部署名 | 部门 | 部門 | 부서 | отдел
    """,
    "company": """
        会社名 | 会社 | 企業名 | 御社名 | 貴社名 | 組織名 | 公司 | 公司名称 | 企业名称
        | 公司名稱 | 单位 | 회사 | 회사명 | 기업명 | 소속 | компания | название компании
        | организация | компанія | εταιρεία | الشركة | اسم الشركة | חברה | שם החברה | บริษัท
        | ชื่อบริษัท | कंपनी | कंपनी का नाम | 勤務先 | 勤務先名 | お勤め先 | 貴社 | 御社
        | 会社・団体名 | 法人名 | 団体名 | 所属組織 | 企業・団体名 | 贵公司名称 | 公司名 | 企业
        | 机构 | 机构名称 | 组织 | 工作单位 | 单位名称 | 企業名稱 | 機構名稱 | 單位 | 기업
        | 업체명 | 소속 회사 | 직장명 | 단체명 | 회사 이름 | ваша компания
        | наименование компании | наименование организации | название организации | фирма
        | место работы | назва компанії | організація | назва організації | фірма | شركة
        | اسم المؤسسة | المؤسسة | جهة العمل | اسم المنظمة | שם חברה | ארגון | שם הארגון
        | שם העסק | संगठन | संस्था का नाम
    """,
    "employees": """
        従業員数 | 社員数 | 従業員規模 | 企業規模 | 公司规模 | 企业规模 | 员工人数 | 员工数量
        | 公司規模 | 員工人數 | 직원 수 | 회사 규모 | 기업 규모 | 임직원 수 | число сотрудников
        | количество сотрудников | численность сотрудников | размер компании
        | кількість співробітників | عدد الموظفين | حجم الشركة | מספר עובדים | จำนวนพนักงาน
        | 従業員数（人） | 従業員規模数 | 会社規模 | 社員規模 | 従業員人数 | 人数规模 | 企业人数
        | 公司人数 | 团队规模 | 员工规模 | 員工數 | 員工規模 | 企業規模人數 | 公司人數
        | 직원규모 | 사원수 | 종업원 수 | сколько сотрудников | численность персонала
        | кол-во сотрудников | численность | количество работников | чисельність працівників
        | кількість працівників | розмір компанії | عدد الموظفين في الشركة | عدد العاملين
        | عدد موظفي الشركة | حجم المؤسسة | גודל החברה | גודל חברה | כמות עובדים | מספר העובדים
        | कर्मचारियों की संख्या | कंपनी का आकार
    """,
    "country": """
        国 | 国名 | 国・地域 | 国家 | 国家/地区 | 國家 | 國家/地區 | 국가 | 나라 | страна
        | країна | χώρα | الدولة | البلد | מדינה | ארץ | ประเทศ | देश | お住まいの国
        | 国または地域 | 国家或地区 | 所在国家 | 所在國家 | 國家或地區 | 국가/지역
        | 국가 또는 지역 | 거주 국가 | страна/регион | страна или регион | ваша страна
        | країна/регіон | بلد | البلد/المنطقة | دولة | بلد الإقامة | الدولة/المنطقة | מדינה/אזור
        | देश/क्षेत्र
    """,
    "website": """
        ウェブサイト | ホームページ | 会社サイト | 会社ホームページ | 会社hp | サイトurl
        | ホームページurl | 网站 | 公司网站 | 网址 | 官网 | 公司官网 | 網站 | 公司網站 | 網址
        | 官網 | 웹사이트 | 홈페이지 | 회사 홈페이지 | сайт | веб-сайт | сайт компании
        | адрес сайта | сайт компанії | الموقع الإلكتروني | موقع الشركة | موقع الويب | אתר
        | אתר אינטרנט | אתר החברה | वेबसाइट | ιστοσελίδα | เว็บไซต์
    """,
    "region": """
        都道府県 | 省份 | 省 | 州/省 | 省/市 | 시/도 | регион | область | регіон | المحافظة
        | المنطقة | אזור | राज्य
    """,
    "city": """
        市区町村 | 都市 | 市 | 城市 | 所在城市 | 도시 | 시/군/구 | город | населенный пункт
        | місто | المدينة | مدينة | עיר | ישוב | शहर | πόλη | เมือง
    """,
    "postal_code": """
        郵便番号 | 邮编 | 邮政编码 | 郵遞區號 | 우편번호 | индекс | почтовый индекс
        | поштовий індекс | الرمز البريدي | מיקוד | पिन कोड
    """,
    "industry": """
        業種 | 業界 | 行业 | 所属行业 | 產業 | 產業別 | 업종 | 산업 | 산업군 | отрасль
        | сфера деятельности | галузь | القطاع | תחום עיסוק | उद्योग
    """,
    "consent": """
        同意 | 個人情報の取り扱いへの同意 | 個人情報の取扱いに同意 | 个人信息同意 | 동의
        | 개인정보 수집 동의 | 마케팅 수신 동의 | 개인정보 동의 | согласие
        | согласие на обработку персональных данных | згода | الموافقة | موافقة | הסכמה | सहमति
    """,
}

BEFORE = """
    contact lead person customer visitor subscriber applicant respondent data fields merges answers
    attributes traits properties submission payload response responses questions body record
    invitee and und et le your the my our please enter type provide whats
    bitte ihre ihr deine dein votre vos ton ta tu su sus il la l el tuo tua vostro vostra o seu sua
    uw je jouw din ditt er ert twoj twoja dit jeres deres sinun vas vase
"""
"""Words that say nothing about what a field holds. ``form`` is not one: a form has a name too."""

GREETINGS = """
    hi hi_there hello hello_there hey hallo guten_tag bonjour hola ciao ola welcome willkommen
    ok okay great cool perfect super thanks thank_you danke merci gracias grazie obrigado bedankt
    nice_to_meet_you first_up first_things_first last_question one_last_thing almost_done
"""
"""What stands before a question and says nothing: *Hi, what's your name?*"""

BEFORE_IN_TWO = "merge_fields form_fields what_is what_s wie_lautet was_ist quel_est quelle_est"
BEFORE_IN_TWO += " form_response form_data form_submission form_values custom_fields"
BEFORE_IN_TWO += " custom_field user_column column_data questions_and field_data field_values"
BEFORE_IN_TWO += " cual_es qual_e wat_is wie_ist"

AFTER = """
    required optional mandatory field input here please pflichtfeld erforderlich obligatoire requis
    obligatorio obligatoria requerido requerida verplicht richiesto obrigatorio obrigatoria wymagane
    wymagany obligatorisk obligatoriskt pakollinen povinne povinny zorunlu gerekli wajib bat buoc
    facultatif optionnel opcional facoltativo optioneel opcjonalne valfritt valgfri valgfritt
    vapaaehtoinen nepovinne istege bagli opsional freiwillig freiwillige angabe innen
    tagsuber tagsueber daytime
"""
IN_WORK = """
    work business corporate professional office official primary main personal private direct
    geschaftliche geschaftlich geschaeftliche geschaeftlich dienstliche dienstlich berufliche
    beruflich private privat professionnel professionnelle pro corporativo corporativa empresarial
    profesional laboral trabajo aziendale lavoro zakelijk zakelijke comercial profissional
    trabalho sluzbowy sluzbowa sluzbowe firmowy firmowa jobb arbejde arbeid arbete tyo kurumsal
    firemni pracovni cong viec kerja kantor de del da di
"""
OF_SITE = "main office official"
"""Before an address these may mean that of the site itself, where there is a better one."""

OF_COMPANY = "company user firmen firma sirket yritys foretag"
"""Before an address these mean the person's own; a company's telephone is not the person's."""

OF_COMPANY_AFTER = """
    company empresa compania azienda entreprise societe bedrijf perusahaan cong ty
    firma foretag firmy
    d l dell la
"""
"""The same behind an address."""

WORK_EMAILS = """
    firmenmail firmenemail geschaftsmail geschaeftsmail geschafts_e_mail geschaefts_e_mail
    geschafts_email arbeitsmail arbeits_e_mail dienstmail dienst_e_mail jobbmejl jobbmail
    jobb_e_post jobbepost foretagsmejl e_postadress_jobb arbejdsmail arbejds_e_mail
    arbejds_email firmamail werkmail werk_e_mail bedrijfsmail tyosahkoposti firemni_e_mail
    firemni_email pracovni_e_mail pracovni_email is_e_postasi is_e_posta_adresi kurumsal_e_posta
    kurumsal_e_posta_adresi sirket_e_postasi email_kantor email_kerja email_perusahaan
    email_cong_ty email_cong_viec dia_chi_email_cong_viec dia_chi_email_cong_ty
    direccion_de_correo_de_trabajo
"""
"""Spellings of an address at work in one word, or in words of their own order."""

OTHERS_AT_WORK = """
    勤務先 | お勤め先 | 仕事用 | 業務用 | 職場 | ビジネス | 連絡先 | ご連絡先 | ご担当者
    | ご担当者様
    | 担当者 | 担当者様 | 工作 | 商务 | 商務 | 办公 | 辦公 | 업무 | 업무용 | 비즈니스 | 담당자
    | рабочий | рабочая | рабочего | рабочей | корпоративный | корпоративная | корпоративного
    | корпоративной | служебный | служебная | робочий | робоча | робочої | корпоративна
    | корпоративний | для работы | للعمل | العمل | الخاص بالعمل | المهني | של העבודה | בעבודה
    | עסקי | עבודה | मेरा कार्य | कार्य
"""
"""The same in other scripts; before an address or a telephone, or behind it."""

OTHERS_OF_COMPANY = """
    会社 | 御社 | 貴社 | 法人 | 企業 | 公司 | 企业 | 单位 | 單位 | 贵公司 | 회사 | 직장
    | 기업 | компании
    | الشركة | للشركة | של החברה | חברה | कंपनी
"""
"""A company's address in other scripts: of the person, unless there is a better one."""

AROUND_ORIGINS = """
    form meta hidden context tracking params parameters query custom utm page visit session response
"""
"""Groups in which the origin of a visit stands. ``first`` and ``last`` are none: those differ."""

SALUTATIONS = """
    mr mrs ms miss mx sir madam dr prof herr frau herrn monsieur madame mademoiselle m mme mlle
    señor señora señorita sr sra srta signor signora signore sig sig.ra senhor senhora dhr mevr
    mevrouw meneer pan pani hr fru bay bayan
"""

SALUTATIONS_ONLY = """
    mr mrs mx madam dr prof herr frau herrn monsieur madame mademoiselle mme mlle señor señora
    señorita signor signora sig.ra senhor senhora dhr mevr mevrouw meneer
"""
"""Those of them that are not also names, as Pan, Bay and M are."""

REQUIRED = """
    必須 | 必須項目 | 任意 | 必填 | 必填项 | 选填 | 選填 | 可选 | 필수 | 필수 입력 | 선택 | 선택사항
    | обязательно | обязательное поле | обязательное | необязательно | обовʼязково | обов'язково
    | مطلوب | إلزامي | اختياري | חובה | שדה חובה | רשות | आवश्यक | अनिवार्य | वैकल्पिक
    | required | optional | 半角 | 全角 | 漢字
"""
POLITE = (
    *("您的", "你的", "貴", "贵", "お", "ご", "귀하의", "ваша", "ваше", "ваш", "ваші", "укажите"),
    *("введите", "请输入", "請輸入", "请填写", "請填寫", "आपका", "आपकी"),
)
