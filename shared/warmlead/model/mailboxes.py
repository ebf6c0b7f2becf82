"""Which mailbox providers anyone can have an address at for free.

A curated list of the large ones, by domain; disposable addresses are not its matter.
"""

_DOMAINS = """
126.com 163.com 21cn.com abv.bg aliyun.com aol.co.uk aol.com aol.de arcor.de att.net bellsouth.net
bigpond.com bigpond.net.au bk.ru bluewin.ch bol.com.br btinternet.com centrum.cz charter.net
comcast.net cox.net daum.net docomo.ne.jp earthlink.net email.com email.cz email.it ezweb.ne.jp
fastmail.com fastmail.fm foxmail.com free.fr freemail.hu freenet.de frontier.com gmail.com gmx.at
gmx.ch gmx.com gmx.de gmx.fr gmx.net googlemail.com hanmail.net hey.com hotmail.be hotmail.co.uk
hotmail.com hotmail.com.br hotmail.de hotmail.es hotmail.fr hotmail.it hotmail.nl hushmail.com
i.ua icloud.com ig.com.br inbox.com inbox.lv inbox.ru interia.pl juno.com laposte.net libero.it
list.ru live.be live.ca live.co.uk live.com live.com.au live.de live.fr live.it live.nl
mac.com mail.com mail.ee mail.ru mailfence.com me.com msn.com nate.com naver.com netscape.net
netzero.net ntlworld.com o2.pl onet.pl online.de online.fr optonline.net orange.fr outlook.com
outlook.com.br outlook.de outlook.es outlook.fr outlook.it outlook.jp pm.me poczta.fm posteo.de
proton.me protonmail.ch protonmail.com qq.com rambler.ru rediffmail.com rocketmail.com rogers.com
sapo.pt sbcglobal.net seznam.cz sfr.fr shaw.ca sina.cn sina.com skynet.be sky.com sohu.com
sympatico.ca t-online.de talktalk.net telefonica.net telenet.be telus.net terra.com.br tiscali.it
tuta.com tuta.io tutanota.com ukr.net uol.com.br verizon.net virgilio.it virginmedia.com vodafone.de
voila.fr walla.com wanadoo.fr web.de wp.pl xs4all.nl ya.ru yahoo.ca yahoo.co.id yahoo.co.in
yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.ar yahoo.com.au yahoo.com.br yahoo.com.mx yahoo.de
yahoo.es yahoo.fr yahoo.in yahoo.it yandex.com yandex.ru yeah.net ymail.com zoho.com zohomail.com
"""

FREE_MAILBOX_DOMAINS = frozenset(_DOMAINS.split())
