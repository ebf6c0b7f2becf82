"""Which mailboxes anyone can have for free: of providers, of relays, and disposable ones.

Curated lists of the large ones, by domain. Of disposable ones there are thousands, and new ones
every day; those that people know are here.
"""

_PROVIDERS = """
126.com 139.com 163.com 189.cn 21cn.com abv.bg aliyun.com aol.co.uk aol.com aol.de arcor.de att.net
azet.sk bellsouth.net bigmir.net bigpond.com bigpond.net.au bk.ru bluewin.ch bol.com.br
btinternet.com centrum.cz centrum.sk charter.net comcast.net cox.net daum.net disroot.org
docomo.ne.jp earthlink.net email.com email.cz email.it ezweb.ne.jp fastmail.com fastmail.fm
foxmail.com free.fr freemail.hu freenet.de frontier.com gazeta.pl gmail.com gmx.at gmx.ch gmx.com
gmx.de gmx.fr gmx.net googlemail.com hanmail.net hey.com hotmail.be hotmail.ch hotmail.co.jp
hotmail.co.uk hotmail.com hotmail.com.ar hotmail.com.br hotmail.com.tr hotmail.de hotmail.dk
hotmail.es hotmail.fi hotmail.fr hotmail.it hotmail.nl hotmail.no hotmail.se hushmail.com
i.softbank.jp i.ua icloud.com ig.com.br inbox.com inbox.lv inbox.ru interia.pl juno.com kakao.com
laposte.net libero.it list.ru live.be live.ca live.cn live.co.uk live.com live.com.au live.com.mx
live.de live.dk live.fr live.it live.jp live.nl live.no live.se mac.com mail.com mail.ee mail.ru
mail.ua mailbox.org mailfence.com mailo.com me.com meta.ua msn.com mynet.com nate.com naver.com
netscape.net netzero.net nifty.com ntlworld.com o2.pl onet.pl online.de online.fr op.pl
optonline.net orange.fr outlook.co.id outlook.com outlook.com.br outlook.de outlook.dk outlook.es
outlook.fr outlook.in outlook.it outlook.jp outlook.kr outlook.pt pm.me poczta.fm post.cz posteo.de
posteo.net proton.me protonmail.ch protonmail.com qq.com rambler.ru rediffmail.com rocketmail.com
rogers.com sapo.pt sbcglobal.net seznam.cz sfr.fr shaw.ca sina.cn sina.com sina.com.cn sky.com
skynet.be softbank.ne.jp sohu.com sympatico.ca t-online.de talktalk.net telefonica.net telenet.be
telus.net terra.com.br tiscali.it tuta.com tuta.io tutanota.com ukr.net uol.com.br verizon.net
vip.126.com vip.163.com vip.qq.com virgilio.it virginmedia.com vodafone.de voila.fr volny.cz vp.pl
walla.co.il walla.com wanadoo.fr web.de wp.pl xs4all.nl ya.ru yahoo.ca yahoo.co.id yahoo.co.in
yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.ar yahoo.com.au yahoo.com.br yahoo.com.hk yahoo.com.mx
yahoo.com.ph yahoo.com.sg yahoo.com.tr yahoo.com.tw yahoo.com.vn yahoo.de yahoo.dk yahoo.es yahoo.fr
yahoo.gr yahoo.ie yahoo.in yahoo.it yahoo.no yahoo.pl yahoo.ro yahoo.se yandex.by yandex.com
yandex.kz yandex.ru yandex.ua yeah.net ymail.com zoho.com zohomail.com zoznam.sk
"""

_RELAYS = """
33mail.com 8alias.com 8shield.net addymail.com aleeas.com anonaddy.com anonaddy.me dralias.com
duck.com erine.email mozmail.com passfwd.com passinbox.com passmail.com passmail.net
privaterelay.appleid.com relay.firefox.com silomails.com simplelogin.co simplelogin.com
simplelogin.fr simplelogin.io slmail.me slmails.com
"""
"""They hand on to an address that its person keeps to themselves."""

_DISPOSABLE = """
10mail.org 10minutemail.com 10minutemail.net 1secmail.com 1secmail.net 1secmail.org 20minutemail.com
anonbox.net armyspy.com boximail.com burnermail.io byom.de chitthi.in cmail.club crazymailing.com
cs.email cuvox.de dayrep.com discard.email discardmail.com dispostable.com dropmail.me einrot.com
emailfake.com emailondeck.com emltmp.com esiix.com eyepaste.com fakeinbox.com fakemail.net
fakemailgenerator.com fleckens.hu generator.email getairmail.com getnada.com grr.la
guerrillamail.biz guerrillamail.com guerrillamail.de guerrillamail.info guerrillamail.net
guerrillamail.org guerrillamailblock.com gustr.com harakirimail.com inboxbear.com inboxkitten.com
incognitomail.org jetable.org jourrapide.com laafd.com linshiyouxiang.net lroid.com
mail-temporaire.fr mail7.io mailcatch.com maildrop.cc maildu.de mailexpire.com mailforspam.com
mailinator.com mailinator.net mailinator.org mailinator2.com mailmoat.com mailnesia.com mailnull.com
mailpoof.com mailsac.com mailtemp.info meltmail.com mintemail.com minuteinbox.com moakt.com
mohmal.com muellmail.com mvrht.net mytemp.email mytrashmail.com nada.email notmailinator.com
nwytg.net pokemail.net reallymymail.com rhyta.com rteet.com sharklasers.com smailpro.com snapmail.cc
spam4.me spamavert.com spambog.com spambog.de spambox.us spamdecoy.net spamex.com spamfree24.org
spamgourmet.com spamhole.com spaml.de superrito.com tafmail.com teleworm.us temp-mail.com
temp-mail.io temp-mail.org temp-mail.ru tempail.com tempemail.co tempinbox.com tempmail.com
tempmail.dev tempmail.io tempmail.net tempmail.plus tempmailo.com tempr.email tempsky.com
throwam.com throwawaymail.com tmail.io tmpmail.net tmpmail.org trash-mail.com trash-mail.de
trashmail.com trashmail.de trashmail.io trashmail.me trashmail.net trashmail.ws trbvm.com vomoto.com
wegwerfemail.de wegwerfmail.de wegwerfmail.net wegwerfmail.org wwjmp.com xojxe.com yoggm.com
yopmail.com yopmail.fr yopmail.net zetmail.com
"""
"""After https://github.com/disposable-email-domains/disposable-email-domains."""

_FREE = frozenset(f"{_PROVIDERS} {_RELAYS} {_DISPOSABLE}".split())
_FREE_BELOW = frozenset(f"{_RELAYS} {_DISPOSABLE}".split())
"""They give away subdomains too: ``ada.anonaddy.com``."""

_MOST_LABELS = 4


def is_free_mailbox(domain: str) -> bool:
    """Whether anyone can have an address at this domain, which is in small letters."""
    if domain in _FREE:
        return True
    labels = domain.rsplit(".", _MOST_LABELS)
    return any(".".join(labels[-count:]) in _FREE_BELOW for count in range(2, _MOST_LABELS + 1))
