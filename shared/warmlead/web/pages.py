"""The page that a visitor sees after a form was sent, in their language."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from html import escape
from types import MappingProxyType
from urllib.parse import urlsplit

from msgspec import Struct

from warmlead.domain.errors import Reason
from warmlead.web.answers import JSON, Answer, is_web_url


class Texts(Struct, frozen=True):
    """The sentences of a page; ``direction`` is that of the script."""

    sent: str
    received: str
    failed: str
    address: str
    size: str
    later: str
    other: str
    person: str
    back: str
    link: str
    direction: str = "ltr"


TEXTS: Mapping[str, Texts] = MappingProxyType(
    {
        "en": Texts(
            "Thank you",
            "We have received what you sent.",
            "Please try again",
            "We found no valid e-mail address in what you sent. Please check it and send again.",
            "What you sent is too large. Please shorten it or leave out the files.",
            "Something is not working on our side. Please send it again in a few minutes.",
            "What you sent could not be read.",
            "We could not confirm that a person sent this. Please repeat the check on the "
            "page and send again.",
            "Your browser's back button takes you to the form; what you typed is usually kept.",
            "Back to the page",
        ),
        "de": Texts(
            "Vielen Dank",
            "Wir haben Ihre Nachricht erhalten.",
            "Bitte versuchen Sie es noch einmal",
            "Wir haben keine gültige E-Mail-Adresse gefunden. Bitte prüfen Sie sie und senden Sie "
            "das Formular noch einmal.",
            "Ihre Nachricht ist zu groß. Bitte kürzen Sie sie oder lassen Sie Dateien weg.",
            "Bei uns gibt es gerade eine Störung. Bitte senden Sie das Formular in einigen Minuten "
            "noch einmal.",
            "Ihre Nachricht konnte nicht gelesen werden.",
            "Wir konnten nicht bestätigen, dass ein Mensch das Formular gesendet hat. Bitte "
            "wiederholen Sie die Prüfung auf der Seite und senden Sie es noch einmal.",
            "Mit der Zurück-Taste Ihres Browsers kommen Sie zum Formular; Ihre Eingaben sind meist "
            "noch da.",
            "Zurück zur Seite",
        ),
        "fr": Texts(
            "Merci",
            "Nous avons bien reçu votre message.",
            "Veuillez réessayer",
            "Nous n'avons pas trouvé d'adresse e-mail valide. Veuillez la vérifier et renvoyer le "
            "formulaire.",
            "Votre envoi est trop volumineux. Veuillez le raccourcir ou retirer les fichiers.",
            "Un problème est survenu de notre côté. Veuillez réessayer dans quelques minutes.",
            "Votre envoi n'a pas pu être lu.",
            "Nous n'avons pas pu confirmer que l'envoi vient d'une personne. Veuillez "
            "refaire la vérification sur la page et renvoyer le formulaire.",
            "Le bouton « retour » de votre navigateur vous ramène au formulaire ; votre saisie est "
            "en général conservée.",
            "Retour à la page",
        ),
        "es": Texts(
            "Gracias",
            "Hemos recibido su mensaje.",
            "Inténtelo de nuevo",
            "No hemos encontrado una dirección de correo válida. Revísela y vuelva a enviar el "
            "formulario.",
            "Su envío es demasiado grande. Acórtelo o quite los archivos.",
            "Hay un problema en nuestro sistema. Vuelva a enviarlo dentro de unos minutos.",
            "No se ha podido leer su envío.",
            "No hemos podido confirmar que lo envía una persona. Repita la comprobación en "
            "la página y vuelva a enviar el formulario.",
            "El botón «Atrás» del navegador le devuelve al formulario; normalmente se conserva lo "
            "que ha escrito.",
            "Volver a la página",
        ),
        "it": Texts(
            "Grazie",
            "Abbiamo ricevuto il suo messaggio.",
            "La preghiamo di riprovare",
            "Non abbiamo trovato un indirizzo e-mail valido. Lo controlli e invii di nuovo il "
            "modulo.",
            "L'invio è troppo grande. Lo abbrevi o tolga i file allegati.",
            "Si è verificato un problema da parte nostra. Riprovi tra qualche minuto.",
            "Non è stato possibile leggere l'invio.",
            "Non abbiamo potuto confermare che l'invio provenga da una persona. Ripeta la "
            "verifica nella pagina e invii di nuovo il modulo.",
            "Il pulsante Indietro del browser riporta al modulo; di solito i dati inseriti sono "
            "ancora presenti.",
            "Torna alla pagina",
        ),
        "pt": Texts(
            "Obrigado",
            "Recebemos a sua mensagem.",
            "Tente novamente",
            "Não encontrámos um endereço de e-mail válido. Verifique-o e envie o formulário outra "
            "vez.",
            "O envio é demasiado grande. Encurte-o ou retire os ficheiros.",
            "Há um problema do nosso lado. Envie novamente dentro de alguns minutos.",
            "Não foi possível ler o seu envio.",
            "Não foi possível confirmar que o envio é de uma pessoa. Repita a verificação na "
            "página e envie o formulário outra vez.",
            "O botão Voltar do navegador leva ao formulário; normalmente o que escreveu ainda lá "
            "está.",
            "Voltar à página",
        ),
        "nl": Texts(
            "Bedankt",
            "We hebben uw bericht ontvangen.",
            "Probeer het opnieuw",
            "We hebben geen geldig e-mailadres gevonden. Controleer het en verstuur het formulier "
            "opnieuw.",
            "Uw bericht is te groot. Maak het korter of laat bestanden weg.",
            "Er is bij ons een storing. Verstuur het formulier over enkele minuten opnieuw.",
            "Uw bericht kon niet worden gelezen.",
            "We konden niet bevestigen dat een mens dit heeft verstuurd. Herhaal de controle "
            "op de pagina en verstuur het formulier opnieuw.",
            "Met de terugknop van uw browser komt u bij het formulier; wat u hebt ingevuld, staat "
            "er meestal nog.",
            "Terug naar de pagina",
        ),
        "pl": Texts(
            "Dziękujemy",
            "Otrzymaliśmy Twoją wiadomość.",
            "Spróbuj ponownie",
            "Nie znaleźliśmy poprawnego adresu e-mail. Sprawdź go i wyślij formularz jeszcze raz.",
            "Wiadomość jest za duża. Skróć ją lub pomiń pliki.",
            "Mamy chwilowy problem. Wyślij formularz ponownie za kilka minut.",
            "Nie udało się odczytać wiadomości.",
            "Nie udało się potwierdzić, że formularz wysłał człowiek. Powtórz weryfikację na "
            "stronie i wyślij formularz jeszcze raz.",
            "Przycisk Wstecz w przeglądarce wraca do formularza; wpisane dane zwykle są zachowane.",
            "Wróć do strony",
        ),
        "sv": Texts(
            "Tack",
            "Vi har tagit emot ditt meddelande.",
            "Försök igen",
            "Vi hittade ingen giltig e-postadress. Kontrollera den och skicka formuläret igen.",
            "Meddelandet är för stort. Korta det eller utelämna filer.",
            "Något fungerar inte hos oss. Skicka formuläret igen om några minuter.",
            "Meddelandet kunde inte läsas.",
            "Vi kunde inte bekräfta att en människa skickade detta. Gör om kontrollen på "
            "sidan och skicka formuläret igen.",
            "Webbläsarens bakåtknapp går till formuläret; det du skrev finns oftast kvar.",
            "Tillbaka till sidan",
        ),
        "da": Texts(
            "Tak",
            "Vi har modtaget din besked.",
            "Prøv igen",
            "Vi fandt ingen gyldig e-mailadresse. Kontrollér den, og send formularen igen.",
            "Beskeden er for stor. Gør den kortere, eller udelad filer.",
            "Noget virker ikke hos os. Send formularen igen om nogle minutter.",
            "Beskeden kunne ikke læses.",
            "Vi kunne ikke bekræfte, at et menneske sendte dette. Gentag kontrollen på "
            "siden, og send formularen igen.",
            "Browserens tilbageknap fører til formularen; det, du skrev, er som regel bevaret.",
            "Tilbage til siden",
        ),
        "nb": Texts(
            "Takk",
            "Vi har mottatt meldingen din.",
            "Prøv igjen",
            "Vi fant ingen gyldig e-postadresse. Kontroller den og send skjemaet på nytt.",
            "Meldingen er for stor. Gjør den kortere eller utelat filer.",
            "Noe fungerer ikke hos oss. Send skjemaet på nytt om noen minutter.",
            "Meldingen kunne ikke leses.",
            "Vi kunne ikke bekrefte at et menneske sendte dette. Gjenta kontrollen på siden "
            "og send skjemaet på nytt.",
            "Tilbakeknappen i nettleseren går til skjemaet; det du skrev, er som regel bevart.",
            "Tilbake til siden",
        ),
        "fi": Texts(
            "Kiitos",
            "Olemme vastaanottaneet viestisi.",
            "Yritä uudelleen",
            "Emme löytäneet kelvollista sähköpostiosoitetta. Tarkista se ja lähetä lomake "
            "uudelleen.",
            "Viesti on liian suuri. Lyhennä sitä tai jätä tiedostot pois.",
            "Palvelussamme on häiriö. Lähetä lomake uudelleen muutaman minuutin kuluttua.",
            "Viestiä ei voitu lukea.",
            "Emme voineet varmistaa, että lähettäjä on ihminen. Tee sivun tarkistus "
            "uudelleen ja lähetä lomake uudelleen.",
            "Selaimen takaisin-painike palaa lomakkeeseen; kirjoittamasi on yleensä tallella.",
            "Takaisin sivulle",
        ),
        "cs": Texts(
            "Děkujeme",
            "Vaši zprávu jsme obdrželi.",
            "Zkuste to prosím znovu",
            "Nenašli jsme platnou e-mailovou adresu. Zkontrolujte ji a odešlete formulář znovu.",
            "Zpráva je příliš velká. Zkraťte ji nebo vynechte soubory.",
            "Na naší straně nastala chyba. Odešlete formulář znovu za několik minut.",
            "Zprávu se nepodařilo přečíst.",
            "Nepodařilo se ověřit, že formulář odeslal člověk. Zopakujte ověření na stránce "
            "a odešlete formulář znovu.",
            "Tlačítko Zpět v prohlížeči vás vrátí k formuláři; vyplněné údaje obvykle zůstávají.",
            "Zpět na stránku",
        ),
        "tr": Texts(
            "Teşekkürler",
            "Mesajınızı aldık.",
            "Lütfen tekrar deneyin",
            "Geçerli bir e-posta adresi bulamadık. Lütfen kontrol edip formu yeniden gönderin.",
            "Gönderiniz çok büyük. Lütfen kısaltın veya dosyaları çıkarın.",
            "Sistemimizde bir sorun var. Lütfen birkaç dakika sonra yeniden gönderin.",
            "Gönderiniz okunamadı.",
            "Bunu bir insanın gönderdiğini doğrulayamadık. Lütfen sayfadaki doğrulamayı "
            "tekrarlayıp formu yeniden gönderin.",
            "Tarayıcınızın geri düğmesi forma döner; yazdıklarınız genellikle korunur.",
            "Sayfaya dön",
        ),
        "ru": Texts(
            "Спасибо",
            "Мы получили ваше сообщение.",
            "Попробуйте ещё раз",
            "Мы не нашли правильного адреса электронной почты. Проверьте его и отправьте форму "
            "ещё раз.",
            "Сообщение слишком большое. Сократите его или уберите файлы.",
            "У нас произошёл сбой. Отправьте форму ещё раз через несколько минут.",
            "Сообщение не удалось прочитать.",
            "Не удалось подтвердить, что форму отправил человек. Пройдите проверку на "
            "странице ещё раз и отправьте форму снова.",
            "Кнопка «Назад» в браузере вернёт вас к форме; введённые данные обычно сохраняются.",
            "Вернуться на страницу",
        ),
        "uk": Texts(
            "Дякуємо",
            "Ми отримали ваше повідомлення.",
            "Спробуйте ще раз",
            "Ми не знайшли правильної адреси електронної пошти. Перевірте її та надішліть форму "
            "ще раз.",
            "Повідомлення завелике. Скоротіть його або приберіть файли.",
            "У нас стався збій. Надішліть форму ще раз за кілька хвилин.",
            "Повідомлення не вдалося прочитати.",
            "Не вдалося підтвердити, що форму надіслала людина. Пройдіть перевірку на "
            "сторінці ще раз і надішліть форму знову.",
            "Кнопка «Назад» у браузері поверне вас до форми; введені дані зазвичай зберігаються.",
            "Повернутися на сторінку",
        ),
        "ja": Texts(
            "ありがとうございました",
            "送信内容を受け付けました。",
            "もう一度お試しください",
            "有効なメールアドレスが見つかりませんでした。ご確認のうえ、もう一度送信してください。",
            "送信内容が大きすぎます。短くするか、ファイルを外してください。",
            "こちらで問題が発生しています。数分後にもう一度送信してください。",
            "送信内容を読み取れませんでした。",
            "人による送信であることを確認できませんでした。ページの認証をやり直して、もう一度送信してください。",
            "ブラウザーの「戻る」ボタンでフォームに戻れます。入力内容は通常残っています。",
            "ページに戻る",
        ),
        "ko": Texts(
            "감사합니다",
            "보내신 내용을 받았습니다.",
            "다시 시도해 주세요",
            "올바른 이메일 주소를 찾지 못했습니다. 확인하신 후 다시 보내 주세요.",
            "보내신 내용이 너무 큽니다. 내용을 줄이거나 파일을 빼 주세요.",
            "저희 쪽에 문제가 생겼습니다. 몇 분 후에 다시 보내 주세요.",
            "보내신 내용을 읽을 수 없었습니다.",
            "사람이 보낸 것인지 확인하지 못했습니다. 페이지에서 인증을 다시 하고 보내 주세요.",
            "브라우저의 뒤로 버튼을 누르면 양식으로 돌아갑니다. 입력한 내용은 대개 남아 있습니다.",
            "페이지로 돌아가기",
        ),
        "zh": Texts(
            "谢谢",
            "我们已收到您提交的内容。",
            "请重试",
            "未找到有效的电子邮件地址。请检查后重新提交。",
            "提交的内容过大。请缩短内容或去掉文件。",
            "我们的系统暂时出现问题。请几分钟后重新提交。",
            "无法读取您提交的内容。",
            "无法确认此内容由真人提交。请在页面上重新完成验证后再次提交。",
            "点击浏览器的后退按钮可返回表单，您填写的内容通常会保留。",
            "返回页面",
        ),
        "zh-hant": Texts(
            "謝謝",
            "我們已收到您送出的內容。",
            "請再試一次",
            "找不到有效的電子郵件地址。請檢查後重新送出。",
            "送出的內容過大。請縮短內容或移除檔案。",
            "我們的系統暫時發生問題。請幾分鐘後重新送出。",
            "無法讀取您送出的內容。",
            "無法確認此內容由真人送出。請在頁面上重新完成驗證後再次送出。",
            "按瀏覽器的上一頁按鈕可返回表單，您填寫的內容通常會保留。",
            "返回頁面",
        ),
        "ar": Texts(
            "شكرًا لك",
            "لقد استلمنا ما أرسلته.",
            "يُرجى المحاولة مرة أخرى",
            "لم نجد عنوان بريد إلكتروني صالحًا. يُرجى التحقق منه وإرسال النموذج مرة أخرى.",
            "حجم ما أرسلته كبير جدًا. يُرجى اختصاره أو إزالة الملفات.",
            "حدثت مشكلة لدينا. يُرجى إعادة الإرسال بعد بضع دقائق.",
            "تعذّرت قراءة ما أرسلته.",
            "لم نتمكن من التأكد من أن المُرسِل إنسان. يُرجى إعادة التحقق في الصفحة وإرسال "
            "النموذج مرة أخرى.",
            "يعيدك زر الرجوع في المتصفح إلى النموذج، وعادةً ما يبقى ما كتبته محفوظًا.",
            "العودة إلى الصفحة",
            "rtl",
        ),
    }
)
"""By primary language; Chinese in traditional characters by its script."""


HTML = "text/html; charset=utf-8"
DEFAULT_LANGUAGE = "en"
MAX_LANGUAGES = 10
"""The most languages of a request's header that are looked at."""

_ADDRESS = (Reason.IDENTITY_MISSING, Reason.EMAIL_INVALID, Reason.IDENTITY_INVALID)
_PERSON = (Reason.CAPTCHA_MISSING, Reason.CAPTCHA_FAILED)
_LATER = (Reason.BODY_TIMEOUT, Reason.BODY_INCOMPLETE, Reason.NOT_FOUND)
_NORWEGIAN = ("no", "nn")  # as a whole, and its other form
_TRADITIONAL = ("hant", "tw", "hk", "mo")

_STYLE = (
    "body{font:1.125rem/1.5 system-ui,sans-serif;margin:15vh auto;max-width:32rem;padding:0 1.5rem;"
    "color:#1a1a1a;background:#fff}h1{font-size:1.6rem;margin:0 0 1rem}p{margin:0 0 1rem}"
    "a{color:#0b57d0}@media(prefers-color-scheme:dark){body{color:#eee;background:#111}"
    "a{color:#8ab4f8}}"
)
_PAGE = (
    '<!DOCTYPE html>\n<html lang="{language}" dir="{direction}">\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
    '<meta name="robots" content="noindex">\n<title>{title}</title>\n<style>{style}</style>\n'
    "<main>\n<h1>{title}</h1>\n{paragraphs}\n</main>\n</html>\n"
)


def page(headers: Mapping[str, str], answer: Answer) -> Answer:
    """A JSON answer of a form as a page; any other answer as it is."""
    if answer.content_type != JSON or 300 <= answer.status < 400:  # noqa: PLR2004  # a redirect
        return answer
    language = language_of(headers.get("accept-language", ""))
    texts = TEXTS[language]
    failed = answer.status >= 400  # noqa: PLR2004  # any failure
    told = [_why(answer, texts), texts.back] if failed else [texts.received]
    paragraphs = [f"<p>{escape(text)}</p>" for text in told]
    if not failed and (target := _page_of_the_form(headers)):
        link = escape(texts.link)
        paragraphs.append(f'<p><a href="{escape(target)}" rel="noreferrer">{link}</a></p>')
    body = _PAGE.format(
        language="zh-Hant" if language == "zh-hant" else language,
        direction=texts.direction,
        title=escape(texts.failed if failed else texts.sent),
        style=_STYLE,
        paragraphs="\n".join(paragraphs),
    )
    return replace(
        answer,
        body=body.encode(),
        content_type=HTML,
        headers={**answer.headers, **_policies(), "Content-Language": language},
    )


def language_of(header: str) -> str:
    """The visitor's preferred language among the available ones, by ``Accept-Language``."""
    ranked = []
    for nth, item in enumerate(header[:500].split(",")[:MAX_LANGUAGES]):
        tag, _, weight = item.partition(";")
        if (known := _known(tag.strip().lower())) and (quality := _quality(weight)) > 0:
            ranked.append((-quality, nth, known))
    return min(ranked)[2] if ranked else DEFAULT_LANGUAGE


def _known(tag: str) -> str | None:
    primary, *others = tag.replace("_", "-").split("-")
    if primary == "zh" and any(part in _TRADITIONAL for part in others):
        return "zh-hant"
    if primary in _NORWEGIAN:
        return "nb"
    return primary if primary in TEXTS else None


def _quality(text: str) -> float:
    name, _, value = text.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


def _why(answer: Answer, texts: Texts) -> str:
    reason = answer.facts.get("reason")
    if reason in _ADDRESS:
        return texts.address
    if reason == Reason.BODY_TOO_LARGE:
        return texts.size
    if reason in _PERSON:
        return texts.person
    if answer.status >= 500 or reason in _LATER:  # noqa: PLR2004  # a failure of ours
        return texts.later
    return texts.other


def _page_of_the_form(headers: Mapping[str, str]) -> str:
    """The page that the visitor left, if ``Referer`` and ``Origin`` agree."""
    referer, origin = headers.get("referer", ""), headers.get("origin", "")
    if not is_web_url(referer):
        return ""
    parts = urlsplit(referer)
    return referer if origin == f"{parts.scheme}://{parts.netloc}" else ""


def _policies() -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'",
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept-Language, Origin",
    }
