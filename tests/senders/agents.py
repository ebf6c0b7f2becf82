"""Names of agents: what people use, what servers send with, and what declares itself."""

from warmlead.domain.event import Automation

_ANDROID = "Mozilla/5.0 (Linux; Android 13; {}) AppleWebKit/537.36 (KHTML, like Gecko) {}"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) {}"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/{}"
_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36{}"
_CHROME = "Chrome/146.0.0.0 Mobile Safari/537.36"
_OLD = "Mozilla/5.0 (Linux; Android {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/62.0.3202.84 Mobile Safari/537.36"

PEOPLE = (
    # browsers on desks
    *(_WINDOWS.format(""), _WINDOWS.format(" Edg/147.0.0.0"), _WINDOWS.format(" OPR/112.0.0.0")),
    *(_WINDOWS.format(" Vivaldi/7.1.3570.39"), _WINDOWS.format(" Whale/3.28.266.14")),
    _WINDOWS.format(" YaBrowser/25.2.0.0"),
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:139.0) Gecko/20100101 Firefox/139.0",
    "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
    "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1; Trident/4.0; .NET CLR 1.1.4322)",
    _MAC.format("605.1.15 (KHTML, like Gecko) Version/18.3 Safari/605.1.15"),
    _MAC.format("605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15 Ddg/17.4"),
    _MAC.format("537.36 (KHTML, like Gecko) Code/1.98.2 Chrome/132.0.0.0 Electron/34.2 Safari/537.36"),
    _MAC.format("537.36 (KHTML, like Gecko) Notion/4.3.0 Chrome/130.0.0.0 Electron/33 Safari/537.36"),
    _MAC.format("537.36 (KHTML, like Gecko) Slack/4.43.51 Chrome/134.0.0.0 Electron/35 Safari/537.36"),
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:138.0) Gecko/20100101 Firefox/138.0",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0.0.0 Safari/537.36",
    "Mozilla/5.0 (compatible; Konqueror/4.5; FreeBSD) KHTML/4.5.4 (like Gecko)",
    "Lynx/2.8.9rel.1 libwww-FM/2.14 SSL-MM/1.4.1 OpenSSL/1.1.1d",
    # phones, some with unlucky names
    *(_ANDROID.format(phone, _CHROME) for phone in ("SM-S918B", "Pixel 8 Pro", "K", "2201116SG")),
    *(_ANDROID.format(phone, _CHROME) for phone in ("CUBOT KINGKONG 9", "CUBOT_X50", "MAX 5")),
    *(_OLD.format(phone) for phone in ("7.0; CUBOT NOTE S Build/NRD90M", "6.0; CUBOT DINOSAUR")),
    *(_OLD.format(phone) for phone in ("7.0; M bot 60 Build/NRD90M", "6.0; B BOT 550 Build/MRA58K")),
    *(_OLD.format(phone) for phone in ("6.0; IDbot553 Build/MRA58K", "7.0; ID bot 53+ Build/NRD90M")),
    *(_OLD.format(phone) for phone in ("6.0; POWER BOT Build/MRA58K", "5.0.2; HTC Butterfly 2")),
    _ANDROID.format("SM-G991B", "SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36"),
    _ANDROID.format("RMX3085", "Chrome/120.0.0.0 Mobile Safari/537.36 OPR/80.0.4170.0"),
    _ANDROID.format("M2101K6G", "Version/4.0 Chrome/130.0.0.0 Mobile Safari/537.36 XiaoMi/MiuiBrowser/14.23.1"),
    _ANDROID.format("V2109", "Chrome/123.0.0.0 Mobile Safari/537.36 VivoBrowser/12.8.1.0"),
    _ANDROID.format("Pixel 7", "Version/4.0 Chrome/131.0.0.0 Mobile DuckDuckGo/5 Safari/537.36"),
    _ANDROID.format("KFTRWI", "Silk/126.3.1 like Chrome/126.0.0.0 Safari/537.36"),
    "Mozilla/5.0 (Android 14; Mobile; rv:138.0) Gecko/138.0 Firefox/138.0",
    "Opera/9.80 (MAUI Runtime; Opera Mini/4.4.39008/37.8625; U; en) Presto/2.12.423 Version/12.16",
    "Mozilla/5.0 (Linux; U; Android 5.1; zh-cn; 1501_M02 Build/LMY47D) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30 SogouMSE,SogouMobileBrowser/5.9.5",
    _IPHONE.format("Version/17.4 Mobile/15E148 Safari/604.1"),
    _IPHONE.format("CriOS/134.0.6998.99 Mobile/15E148 Safari/604.1"),
    _IPHONE.format("FxiOS/137.0 Mobile/15E148 Safari/605.1.15"),
    _IPHONE.format("EdgiOS/134.0.3124.77 Version/17.0 Mobile/15E148 Safari/604.1"),
    _IPHONE.format("Version/17.4 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15"),
    # in apps
    _IPHONE.format("GSA/355.0.734182164 Mobile/15E148 Safari/604.1"),
    _IPHONE.format("Mobile/15E148 Instagram 321.0.3.37.107 (iPhone14,5; iOS 17_4; de_DE; scale=3.00; 1170x2532; 577210397)"),
    _IPHONE.format("Mobile/15E148 [FBAN/FBIOS;FBAV/505.0.0.37.96;FBBV/711443853;FBDV/iPhone14,5;FBMD/iPhone;FBSN/iOS;FBSV/17.4;FBSS/3;FBID/phone;FBLC/de_DE;FBOP/80]"),
    _IPHONE.format("Mobile/15E148 [LinkedInApp]/9.30.2437"),
    _IPHONE.format("Mobile/15E148 Twitter for iPhone/10.77"),
    _IPHONE.format("Mobile/15E148 [Pinterest/iOS]"),
    _IPHONE.format("Mobile/15E148 Snapchat/13.29.0.43 (like Safari/8618.1.15, panda)"),
    _IPHONE.format("Mobile/15E148 MicroMessenger/8.0.49(0x18003137) NetType/WIFI Language/de"),
    _IPHONE.format("Mobile/15E148 Line/14.3.0"),
    _IPHONE.format("Mobile/15E148 Blackboard/3.7.0"),
    _IPHONE.format("Mobile/15E148 Viber/22.1.0"),
    _IPHONE.format("Mobile/15E148 WhatsApp/24.6.77"),
    _ANDROID.format("SM-S918B Build/TP1A.220624.014; wv", f"Version/4.0 {_CHROME} Instagram 321.0.0.39.106 Android (33/13; 480dpi; 1080x2115; samsung; SM-S918B; dm3q; qcom; de_DE; 577144063)"),
    _ANDROID.format("SM-A536B Build/TP1A.220624.014; wv", f"Version/4.0 {_CHROME} [FB_IAB/FB4A;FBAV/456.0.0.37.108;]"),
    _ANDROID.format("Pixel 10 Build/CP1A.260305.018; wv", f"Version/4.0 {_CHROME} MetaIAB Facebook"),
    _ANDROID.format("CPH2557 Build/AP3A.240617.008; wv", f"Version/4.0 {_CHROME} Instagram 406.0.0.58.159 Android"),
    _ANDROID.format("SM-S911B; wv", f"Version/4.0 {_CHROME} GoogleApp/15.10.33.28.arm64"),
    _ANDROID.format("SM-A155F; wv", f"Version/4.0 {_CHROME} trill_2023809040 BytedanceWebview/d8a21c6"),
    _ANDROID.format("SM-A155F; wv", f"Version/4.0 {_CHROME} KAKAOTALK 10.8.0"),
    # mail, whose pictures a proxy fetches for its reader
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
    "Mozilla/5.0",
)  # fmt: skip

SERVERS = (
    *("analytics-python/2.2.2", "analytics-node-next/latest", "analytics-go (version: 3.0.0)"),
    *("analytics-ruby/2.4.0", "analytics-php/3.8.0", "RudderStack/Python/2.1.3", "axios/1.7.9"),
    *("analytics-kotlin/1.19.2", "Segment.io/Objective-C CFNetwork/1494.0.7 Darwin/23.4.0"),
    *("python-requests/2.32.3", "python-httpx/0.28.1", "Python/3.12 aiohttp/3.11.11"),
    *("Go-http-client/2.0", "okhttp/4.12.0", "curl/8.11.1", "Wget/1.21.3", "GuzzleHttp/7"),
    *("Java/21.0.2", "Apache-HttpClient/4.5.14 (Java/17)", "node-fetch", "undici", "got"),
    *("Dart/3.3 (dart:io)", "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8)", "Ruby", "Faraday v2"),
    *("PostmanRuntime/7.43.0", "libwww-perl/6.67", "PHP-Curl-Class/9", "HTTPie/3.2.4", "node"),
    *("Typeform Webhooks", "Zapier", "IFTTT/1.0", "Integromat/production", "Make/production"),
    *("n8n", "Webflow-Webhooks/1.0", "JotForm Webhook", "Svix-Webhooks/1.62 (+https://svix.com)"),
    "HubSpot Connect 2.0 (http://dev.hubspot.com/) - WebhooksExecutorDaemon-executor",
    "Mozilla/5.0 (compatible; Google-Apps-Script; beanserver; +https://script.google.com; id: 1)",
    *("WordPress/6.7.2; https://shop.example", "Shopify-Captain-Hook", "SendGrid Event API"),
    *("Webflow", "Landbot", "Mozilla/5.0 (compatible; Landbot/2.0; +https://landbot.io)", "Elementor"),
    *("Unbounce/1.0 (+http://unbounce.com)", "Squarespace/1.0 (+https://www.squarespace.com)"),
    *("Netlify Forms (+https://netlify.com)", "Manychat (+https://manychat.com)", "WPForms/1.8"),
    *("Stripe/1.0 (+https://stripe.com/docs/webhooks)", "Salesforce.com", "-", " ", ""),
)  # fmt: skip

_ROBOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    *("Googlebot-Image/1.0", "AdsBot-Google (+http://www.google.com/adsbot.html)", "GoogleOther"),
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)",
    "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)",
    "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)",
    "Mozilla/5.0 (compatible; Applebot/0.1; +http://www.apple.com/go/applebot)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
    "Mozilla/5.0 (compatible; MJ12bot/v1.4.8; http://mj12bot.com/)",
    "Mozilla/5.0 (compatible; DotBot/1.2; +https://opensiteexplorer.org/dotbot)",
    "Mozilla/5.0 (compatible; PetalBot;+https://webmaster.petalsearch.com/site/petalbot)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)",
    "Mozilla/5.0 (compatible; Bytespider; spider-feedback@bytedance.com)",
    *("CCBot/2.0 (https://commoncrawl.org/faq/)", "Amazonbot/0.1", "Screaming Frog SEO Spider/20.0"),
    "Mozilla/5.0 (compatible; archive.org_bot +http://archive.org/details/archive.org_bot)",
    *("Scrapy/2.11.2 (+https://scrapy.org)", "crawler4j", "Nutch/1.19", "magpie-crawler/1.1"),
    *("Feedfetcher-Google; (+http://www.google.com/feedfetcher.html)", "FeedBurner/1.0"),
    *("UniversalFeedParser/4.2 +http://feedparser.org/", "Tiny Tiny RSS/1.11 (http://tt-rss.org/)"),
    *("zgrab/0.x", "Nikto/2.5.0", "Expanse, a Palo Alto Networks company", "CensysInspect/1.1"),
    "HubSpot Crawler/1.0 (http://www.hubspot.com)",
    "Microsoft Office Existence Discovery",
    "a-new-bot-that-nobody-knows/0.1",
)  # fmt: skip
_PREVIEWS = (
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Slack-ImgProxy (+https://api.slack.com/robots)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com",
    "WhatsApp/2.23.20.0 A",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
    "Twitterbot/1.0",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "TelegramBot (like TwitterBot)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    *("Viber", "redditbot/1.0", "Iframely/1.3.1 (+https://iframely.com/docs/about) Atlassian"),
    "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b",
)  # fmt: skip
_HEADLESS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/147.0.7727.0 Safari/537.36",
    "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1",
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Playwright/1.40.0",
)  # fmt: skip
_MONITORS = (
    "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)",
    "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.7204.168 Safari/537.36 DatadogSynthetics",
    *("StatusCake", "Site24x7", "Uptime-Kuma/1.23.16", "Better Uptime Bot", "check_http/v2.4.2"),
    "Mozilla/5.0 (Linux; Android 11; moto g power) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Mobile Safari/537.36 Chrome-Lighthouse",
)  # fmt: skip

DECLARED = (
    *((agent, Automation.ROBOT) for agent in _ROBOTS),
    *((agent, Automation.PREVIEW) for agent in _PREVIEWS),
    *((agent, Automation.HEADLESS) for agent in _HEADLESS),
    *((agent, Automation.MONITOR) for agent in _MONITORS),
)
