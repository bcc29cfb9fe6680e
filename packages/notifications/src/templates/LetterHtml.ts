/**
 * The HTML part of a mail: tables and inline styles, as mail programs know little else; what is in the style
 * element is for those that know more (dark mode, narrow screens), and nothing depends on it. Nothing is loaded.
 */
import { directions, html } from "./Isolate.ts"
import type { Letter, Row } from "./Letter.ts"

const latin = "-apple-system,'Segoe UI',Roboto,'Noto Sans',Helvetica,Arial,sans-serif"
/** Arabic is drawn by whatever of these is there, at a height that is read as easily. */
const fonts = { ltr: latin, rtl: `'Segoe UI','Geeza Pro','Noto Sans Arabic',Tahoma,Arial,sans-serif` }

const tones: { readonly [T in Letter["tone"]]: { readonly bar: string; readonly soft: string } } = {
  good: { bar: "#3a1d94", soft: "#d6ccff" },
  act: { bar: "#7a4100", soft: "#ffe2bf" },
  bad: { bar: "#3b3f52", soft: "#d9dbe6" }
}

const style = `
  a { color: #3a1d94 }
  @media (max-width: 480px) { .pad { padding-left: 18px !important; padding-right: 18px !important } .out { padding: 0 !important } .card { border-radius: 0 !important } }
  @media (prefers-color-scheme: dark) {
    body, .out { background: #0f1017 !important }
    .card { background: #1b1c26 !important }
    .ink, .ink td { color: #f1f2f8 !important }
    .faint { color: #a9adc4 !important }
    .box { background: #262836 !important }
    .line { border-color: #35384a !important }
    a { color: #b9a4ff }
  }
`

/** Space that mail programs show beside the subject instead of what comes next in the mail. */
const filler = "&#847;&zwnj;&nbsp;".repeat(60)

/** A table that only sets its content in place. */
const table = (style: string, attributes = "") =>
  `<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"${attributes} style="border-collapse:separate;${style}">`

export const render = (letter: Letter): string => {
  const dir = directions[letter.locale]
  const [start, end] = dir === "rtl" ? ["right", "left"] : ["left", "right"]
  const { bar, soft } = tones[letter.tone]
  const font = `font-family:${fonts[dir]}`
  const line = "border-bottom:1px solid #e6e8f2"

  const row = ({ label, strong, value }: Row): string => {
    const weight = strong ? "font-weight:700;" : ""
    const cell = `${weight}${line};padding:9px 0;vertical-align:top`
    // A single value is an amount, and stays on its line.
    const wrap = value.length === 1 ? "white-space:nowrap;" : ""
    return value.length === 0
      ? `<tr><td class="line" colspan="2" align="${start}" style="${cell}">${html(label)}</td></tr>`
      : `<tr><td class="line" align="${start}" style="${cell}">${html(label)}</td>` +
          `<td class="line" align="${end}" style="${wrap}${cell};padding-${start}:16px">${value.map(html).join("<br>")}</td></tr>`
  }
  const paragraph = (text: string) => `<p style="margin:0 0 14px">${html(text)}</p>`

  const parts = [
    letter.greeting === null ? "" : paragraph(letter.greeting),
    ...letter.body.map(paragraph),
    `${table(`margin:6px 0 18px;background:#f4f3fb;border-radius:10px;border-${start}:4px solid ${bar}`, ' class="box"')}<tr><td align="${start}" style="padding:14px 16px">
<div style="font-weight:700;font-size:18px;line-height:1.35">${html(letter.event.name)}</div>
<div style="margin-top:4px">${html(letter.event.when)}</div>
${letter.event.place.map((part) => `<div class="faint" style="color:#5b5f78">${html(part)}</div>`).join("\n")}
</td></tr></table>`,
    letter.quote === null
      ? ""
      : `<p class="faint" style="margin:0 0 4px;color:#5b5f78;font-size:14px">${html(letter.quote.label)}:</p>
<p style="margin:0 0 18px;padding-${start}:14px;border-${start}:3px solid #c9cbdc" dir="auto">${html(letter.quote.text)}</p>`,
    letter.rows.length === 0 ? "" : `${table("margin:0 0 18px")}${letter.rows.map(row).join("\n")}</table>`,
    letter.action === null
      ? ""
      : `<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:0 0 20px"><tr><td style="background:${bar};border-radius:8px">
<a href="${html(letter.action.url)}" style="display:inline-block;padding:13px 24px;color:#ffffff;font-weight:700;text-decoration:none">${html(letter.action.label)}</a></td></tr></table>`,
    letter.notes.length === 0
      ? ""
      : `<p class="faint" style="margin:0;color:#5b5f78;font-size:13px;overflow-wrap:anywhere">${letter.notes.map(html).join("<br>")}</p>`
  ]

  return `<!doctype html>
<html lang="${letter.locale}" dir="${dir}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no,date=no,address=no">
<title>${html(letter.subject).replaceAll(/<\/?bdi>/g, "")}</title>
<style>${style}</style>
</head>
<body dir="${dir}" style="margin:0;padding:0;background:#f4f5fa;${font}">
<div style="display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;font-size:1px;line-height:1px">${html(letter.preheader)}${filler}</div>
${table("", ` dir="${dir}"`)}<tr><td class="out" align="center" style="padding:24px 12px;background:#f4f5fa">
${table(
  `max-width:600px;background:#ffffff;border-radius:14px;overflow:hidden;${font};font-size:16px;line-height:1.55`,
  ` class="card" dir="${dir}"`
)}
<tr><td class="pad" align="${start}" style="background:${bar};color:#ffffff;padding:26px 28px">
<div style="font-size:24px;font-weight:700;line-height:1.3">${html(letter.heading)}</div>
<div style="margin-top:6px;color:${soft}">${html(letter.event.name)}</div>
</td></tr>
<tr><td class="pad ink" align="${start}" style="padding:24px 28px;color:#14142b">
${parts.filter((part) => part !== "").join("\n")}
</td></tr>
<tr><td class="pad faint line" align="${start}" style="padding:16px 28px 24px;border-top:1px solid #e6e8f2;color:#5b5f78;font-size:13px">
${html(letter.because)}${
  letter.unsubscribe === null
    ? ""
    : `<br><a class="faint" style="color:#5b5f78" href="${html(letter.unsubscribe.url)}">${html(letter.unsubscribe.label)}</a>`
}
</td></tr>
</table>
</td></tr></table>
</body>
</html>
`
}
