"""The lists of sites that ``sites`` knows, by what they are.

Written by hand after the source categories that Google publishes with its default channel group
(https://support.google.com/analytics/answer/9756891), with what has come since.
"""

# A line is a name and its domains. A domain that ends in ``.*`` is one in every country.
SEARCH = """
google google.* com.google.android.googlequicksearchbox
bing bing.*
yahoo yahoo.* search.yahoo.co.jp
yandex yandex.* ya.ru
baidu baidu.*
naver naver.com
duckduckgo duckduckgo.com duck.com ddg.gg
ecosia ecosia.org
brave search.brave.com
startpage startpage.com
qwant qwant.com
seznam seznam.cz firmy.cz
sogou sogou.com
360.cn so.com 360.cn haosou.com
shenma sm.cn
daum daum.net
kagi kagi.com
mojeek mojeek.com
swisscows swisscows.com
metager metager.org metager.de
presearch presearch.com
gibiru gibiru.com
searx searx.be searx.space
ask ask.com
aol search.aol.com search.aol.co.uk suche.aol.de recherche.aol.fr aol.com
msn msn.com
lycos lycos.com
dogpile dogpile.com
webcrawler webcrawler.com
info.com info.com
excite excite.com
exalead exalead.com
rambler rambler.ru
mail.ru go.mail.ru
coccoc coccoc.com
biglobe search.biglobe.ne.jp biglobe.ne.jp
goo.ne.jp search.goo.ne.jp
docomo search.smt.docomo.ne.jp
auone search.auone.jp
rakuten websearch.rakuten.co.jp
onet onet.pl
wp.pl szukaj.wp.pl
virgilio virgilio.it ricerca.virgilio.it
libero arianna.libero.it
terra.com buscador.terra.com
globo globo.com
centrum centrum.cz
tut.by tut.by
ukr.net search.ukr.net
najdi najdi.si
eniro eniro.se
kvasir kvasir.no
startsiden startsiden.no
t-online suche.t-online.de
web.de suche.web.de
gmx suche.gmx.net search.gmx.com
fireball fireball.de fireball.com
bluewin search.bluewin.ch
walla search.walla.co.il
zum search.zum.com
petal petalsearch.com
you.com you.com
avg search.avg.com
avira search.avira.com
norton nortonsafe.search.ask.com
disconnect search.disconnect.me
lukol lukol.com
yippy yippy.com
entireweb entireweb.com
gigablast gigablast.com
alohafind alohafind.com
search.com search.com
infospace infospace.com
mywebsearch mywebsearch.com
conduit search.conduit.com
babylon search.babylon.com
incredimail search.incredimail.com
comcast search.comcast.net search.xfinity.com
centurylink search.centurylink.com
earthlink search.earthlink.net
"""

SOCIAL = """
facebook facebook.com fb.com fb.me fb.watch messenger.com m.me com.facebook.katana workplace.com
instagram instagram.com ig.me com.instagram.android
threads threads.net threads.com
linkedin linkedin.com lnkd.in com.linkedin.android
twitter twitter.com x.com t.co com.twitter.android tweetdeck.com
reddit reddit.com redd.it com.reddit.frontpage
pinterest pinterest.* pin.it com.pinterest
tiktok tiktok.com
snapchat snapchat.com
whatsapp whatsapp.com wa.me com.whatsapp
telegram telegram.org telegram.me t.me org.telegram.messenger
discord discord.com discord.gg discordapp.com
mastodon mastodon.social mastodon.online mstdn.social mstdn.jp fosstodon.org hachyderm.io mas.to
bluesky bsky.app bsky.social
quora quora.com
hackernews news.ycombinator.com
producthunt producthunt.com
stackoverflow stackoverflow.com
stackexchange stackexchange.com superuser.com serverfault.com askubuntu.com stackapps.com
medium medium.com
substack substack.com
devto dev.to
lobsters lobste.rs
slashdot slashdot.org
digg digg.com
mix.com mix.com stumbleupon.com
flipboard flipboard.com
pocket getpocket.com pocket.co
feedly feedly.com
instapaper instapaper.com
pinboard pinboard.in
diigo diigo.com
scoopit scoop.it
paperli paper.li
smartnews smartnews.com
buffer.com buffer.com
hootsuite hootsuite.com ow.ly
tumblr tumblr.com t.umblr.com
blogger blogger.com blogspot.com
wordpress wordpress.com
livejournal livejournal.com
typepad typepad.com
xing xing.com
viadeo viadeo.com viadeo.journaldunet.com
yammer yammer.com
slack slack.com
skype skype.com web.skype.com
microsoft_teams teams.microsoft.com teams.live.com
researchgate researchgate.net
academia academia.edu
glassdoor glassdoor.*
meetup meetup.com
nextdoor nextdoor.com
vk vk.com vkontakte.ru vk.ru away.vk.com
odnoklassniki ok.ru odnoklassniki.ru
my.mail.ru my.mail.ru
dzen dzen.ru zen.yandex.ru
habr habr.com
weibo weibo.com weibo.cn t.cn
wechat wechat.com weixin.qq.com mp.weixin.qq.com com.tencent.mm
qzone qzone.qq.com
qq qq.com
zhihu zhihu.com
douban douban.com
renren renren.com
tieba tieba.baidu.com
xiaohongshu xiaohongshu.com xhslink.com
dianping dianping.com
v2ex v2ex.com
line line.me
kakao kakao.com kakaocorp.com kakaotalk.com
naver_blog blog.naver.com
naver_cafe cafe.naver.com
naver_kin kin.naver.com
band.us band.us
zalo zalo.me
hatena hatena.ne.jp b.hatena.ne.jp hatenablog.com
mixi mixi.jp
ameba ameba.jp ameblo.jp
note.com note.com
qiita qiita.com
zenn zenn.dev
5ch 5ch.net
pixiv pixiv.net
gree gree.jp
chiebukuro chiebukuro.yahoo.co.jp
taringa taringa.net
meneame meneame.net
badoo badoo.com
tagged tagged.com
myspace myspace.com
hi5 hi5.com
nk.pl nk.pl
wykop wykop.pl
goldenline goldenline.pl
gutefrage gutefrage.net
draugiem draugiem.lv
skyrock skyrock.com
copainsdavant copainsdavant.linternaute.com
suomi24 suomi24.fi
flickr flickr.com
deviantart deviantart.com
artstation artstation.com
behance behance.net
dribbble dribbble.com
500px 500px.com
imgur imgur.com
photobucket photobucket.com
scribd scribd.com
slideshare slideshare.net
goodreads goodreads.com
librarything librarything.com
wattpad wattpad.com
ravelry ravelry.com
last.fm last.fm
foursquare foursquare.com
yelp yelp.*
tripadvisor tripadvisor.*
houzz houzz.com
wikihow wikihow.com
fandom fandom.com
disqus disqus.com
plurk plurk.com
gab.com gab.com
truthsocial truthsocial.com
parler parler.com
minds.com minds.com
ello ello.co
clubhouse clubhouse.com joinclubhouse.com
patreon patreon.com
linktree linktr.ee
google_groups groups.google.com
google_plus plus.google.com plus.url.google.com
indiehackers indiehackers.com
dzone dzone.com
techmeme techmeme.com
myanimelist myanimelist.net
crunchyroll crunchyroll.com
niconico nicovideo.jp
classmates classmates.com
ancestry ancestry.com
myheritage myheritage.com
secondlife secondlife.com
bit.ly bit.ly
tinyurl tinyurl.com
"""

SHOPPING = """
amazon amazon.* amazon-adsystem.com
ebay ebay.*
etsy etsy.com
walmart walmart.*
alibaba alibaba.com
aliexpress aliexpress.*
shopify shopify.com shop.app
target.com target.com
bestbuy bestbuy.com
wayfair wayfair.*
newegg newegg.com
shopzilla shopzilla.com
shopping.com shopping.com
google_shopping shopping.google.com
yahoo_shopping shopping.yahoo.com shopping.yahoo.co.jp
naver_shopping shopping.naver.com smartstore.naver.com
bing_shopping shopping.bing.com
mercadolibre mercadolibre.* mercadolivre.com.br
rakuten rakuten.co.jp rakuten.com
flipkart flipkart.com
myntra myntra.com
lazada lazada.*
shopee shopee.*
tokopedia tokopedia.com
taobao taobao.com
tmall tmall.com
jd.com jd.com
pinduoduo pinduoduo.com
temu temu.com
shein shein.com
zalando zalando.*
otto.de otto.de
idealo idealo.*
geizhals geizhals.de geizhals.at
billiger billiger.de
kaufland kaufland.de
allegro allegro.pl
ceneo ceneo.pl
heureka heureka.cz heureka.sk
emag emag.ro
bol.com bol.com
cdiscount cdiscount.com
fnac fnac.com
pricerunner pricerunner.*
kelkoo kelkoo.*
coupang coupang.com
gmarket gmarket.co.kr
ozon ozon.ru
wildberries wildberries.ru
market.yandex market.yandex.ru
trendyol trendyol.com
hepsiburada hepsiburada.com
noon.com noon.com
takealot takealot.com
jumia jumia.com.ng jumia.co.ke
wish.com wish.com
simplycodes simplycodes.com
"""

VIDEO = """
youtube youtube.com youtu.be youtube-nocookie.com com.google.android.youtube
vimeo vimeo.com
dailymotion dailymotion.com
twitch twitch.tv
wistia wistia.com wistia.net
netflix netflix.com
hulu hulu.com
disneyplus disneyplus.com
ted ted.com
bilibili bilibili.com
youku youku.com
tudou tudou.com
iqiyi iqiyi.com iq.com
rumble rumble.com
odysee odysee.com
rutube rutube.ru
crackle crackle.com
curiositystream curiositystream.com
d.tube d.tube
veoh veoh.com
utreon utreon.com
loom loom.com
"""

EMAIL = """
gmail mail.google.com com.google.android.gm
outlook outlook.live.com outlook.office.com outlook.office365.com outlook.com
yahoo_mail mail.yahoo.com mail.yahoo.co.jp
aol_mail mail.aol.com
icloud_mail icloud.com
proton_mail mail.proton.me
gmx_mail gmx.net gmx.com gmx.de
web.de_mail web.de
t-online_mail email.t-online.de
zoho_mail mail.zoho.com mail.zoho.eu
fastmail fastmail.com
mail.ru_mail e.mail.ru
yandex_mail mail.yandex.ru mail.yandex.com
seznam_mail email.seznam.cz
qq_mail mail.qq.com
163_mail mail.163.com
126_mail mail.126.com
naver_mail mail.naver.com
orange_mail mail.orange.fr messagerie.orange.fr
free_mail webmail.free.fr
laposte_mail laposte.net
libero_mail mail.libero.it
wp_mail poczta.wp.pl
onet_mail poczta.onet.pl
rambler_mail mail.rambler.ru
superhuman mail.superhuman.com
hey_mail app.hey.com
"""

AI = """
chatgpt chatgpt.com chat.openai.com com.openai.chatgpt
gemini gemini.google.com bard.google.com
notebooklm notebooklm.google.com
copilot copilot.microsoft.com copilot.com copilot.cloud.microsoft
claude claude.ai
perplexity perplexity.ai
deepseek deepseek.com chat.deepseek.com
grok grok.com
mistral chat.mistral.ai
meta_ai meta.ai
poe poe.com
qwen chat.qwen.ai
kimi kimi.com kimi.moonshot.cn
doubao doubao.com
ernie yiyan.baidu.com
chatglm chatglm.cn
phind phind.com
iask iask.ai
komo komo.ai
andisearch andisearch.com
genspark genspark.ai
manus manus.im
pi.ai pi.ai
"""

# These are below sites of the lists above, but are not a search engine, network or shop.
OTHER = """
docs.google.com drive.google.com calendar.google.com meet.google.com chat.google.com
sites.google.com classroom.google.com translate.google.com photos.google.com keep.google.com
play.google.com support.google.com developers.google.com cloud.google.com console.cloud.google.com
ads.google.com analytics.google.com tagmanager.google.com blog.google workspace.google.com
script.google.com research.google.com aistudio.google.com
news.yahoo.com finance.yahoo.com sports.yahoo.com news.yahoo.co.jp finance.yahoo.co.jp
disk.yandex.ru maps.yandex.ru webmaster.yandex.ru metrika.yandex.ru news.yandex.ru
pan.baidu.com baike.baidu.com aws.amazon.com music.amazon.com developer.amazon.com
help.shopify.com partners.shopify.com apps.shopify.com community.shopify.com
"""
