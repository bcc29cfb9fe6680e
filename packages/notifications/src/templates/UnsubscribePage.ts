/** The page behind the link that ends messages of a kind: asks once, then says that it is done. Pure. */
import type { Locale } from "@onsale/contracts/notifications/Locale"
import type { Topic } from "@onsale/contracts/notifications/Preferences"
import { directions, html } from "./Isolate.ts"
import { languages } from "./Languages.ts"

const page = (locale: Locale, title: string, body: string): string => `<!doctype html>
<html lang="${locale}" dir="${directions[locale]}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex">
<title>${html(title)}</title>
<style>
  :root { color-scheme: light dark }
  body { font: 17px/1.55 system-ui, sans-serif; max-width: 34rem; margin: 12vh auto; padding: 0 1.5rem }
  h1 { font-size: 1.5rem; line-height: 1.3 }
  button { font: inherit; font-weight: 700; padding: .7rem 1.4rem; border: 0; border-radius: 8px; background: #3a1d94; color: #fff; cursor: pointer }
</style>
</head>
<body>
<h1>${html(title)}</h1>
${body}
</body>
</html>
`

/**
 * Asks: programs that look at every link of a mail must not decline anything by it. The button sends what mail
 * programs send by themselves (RFC 8058).
 */
export const ask = (locale: Locale, topic: Topic): string => {
  const { unsubscribe, unsubscribePage } = languages[locale]
  return page(
    locale,
    unsubscribePage.ask[topic],
    `<p>${html(unsubscribePage.stays)}</p>
<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click"><button>${html(unsubscribe[topic])}</button></form>`
  )
}

export const done = (locale: Locale, topic: Topic): string => {
  const { unsubscribePage } = languages[locale]
  return page(locale, unsubscribePage.done[topic], `<p>${html(unsubscribePage.stays)}</p>`)
}

export const refused = (locale: Locale): string => page(locale, languages[locale].unsubscribePage.refused, "")
