/** The pages of `/dev/mail`. Whatever stands in a mail is escaped; its HTML is shown in a sandboxed frame only. */
import type { CaughtMail } from "./DevMail.ts"

export const escape = (text: string) =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;")

const style = `
  :root { color-scheme: light dark; --ink: #14142b; --faint: #6e7191; --line: #e3e5ec; --paper: #ffffff; --accent: #5b2bd9 }
  @media (prefers-color-scheme: dark) { :root { --ink: #eff0f6; --faint: #a0a3bd; --line: #33344a; --paper: #16171f; --accent: #a78bfa } }
  body { margin: 0 auto; padding: 2rem 1rem; max-width: 60rem; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
  a { color: var(--accent) } h1 { font-size: 1.4rem; overflow-wrap: anywhere } .faint { color: var(--faint) }
  table { width: 100%; border-collapse: collapse } td, th { padding: .55rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; overflow-wrap: anywhere }
  th { color: var(--faint); font-weight: 500; white-space: nowrap; width: 1% } time { white-space: nowrap }
  iframe { width: 100%; height: 36rem; border: 1px solid var(--line); border-radius: 10px; background: #ffffff }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--line); border-radius: 10px; padding: 1rem }
`

export const page = (title: string, body: string) => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escape(title)}</title><style>${style}</style></head>
<body>
${body}
</body>
</html>
`

const time = (instant: string) =>
  `<time datetime="${instant}">${instant.replace("T", " ").slice(0, 19)}</time>`

const size = (bytes: number) => (bytes < 1024 ? `${bytes} B` : `${Math.round(bytes / 1024)} KB`)

export const listPage = (mails: ReadonlyArray<CaughtMail>) =>
  page(
    "Mail",
    `<h1>Mail</h1>
<p class="faint">Caught here, delivered to nobody. Newest first. <a href="/dev/mail/templates">Templates</a></p>
${
  mails.length === 0
    ? "<p>No mail yet.</p>"
    : `<table><thead><tr><th>When (UTC)</th><th>To</th><th>Subject</th></tr></thead><tbody>
${mails
  .map(
    (mail) =>
      `<tr><td>${time(mail.caughtAt)}</td><td dir="auto">${escape(mail.to.join(", "))}</td>` +
      `<td><a href="/dev/mail/${mail.id}" dir="auto">${escape(mail.subject === "" ? "(no subject)" : mail.subject)}</a></td></tr>`
  )
  .join("\n")}
</tbody></table>`
}`
  )

export const mailPage = (mail: CaughtMail) =>
  page(
    mail.subject,
    `<p><a href="/dev/mail">All mail</a></p>
<h1 dir="auto">${escape(mail.subject === "" ? "(no subject)" : mail.subject)}</h1>
<table>
<tr><th>From</th><td dir="auto">${escape(mail.from)}</td></tr>
<tr><th>To</th><td dir="auto">${escape(mail.to.join(", "))}</td></tr>
<tr><th>Caught</th><td>${time(mail.caughtAt)}</td></tr>
${mail.attachments
  .map(
    ({ content, contentType, filename }, i) =>
      `<tr><th>Attachment</th><td><a href="/dev/mail/${mail.id}/attachments/${i}" download>${escape(filename)}</a> <span class="faint">${escape(contentType)}, ${size(content.length)}</span></td></tr>`
  )
  .join("\n")}
</table>
${
  mail.html === null
    ? ""
    : `<h2>HTML</h2>\n<iframe sandbox referrerpolicy="no-referrer" src="/dev/mail/${mail.id}/html" title="The mail as HTML"></iframe>`
}
<h2>Text</h2>
<pre dir="auto">${escape(mail.text)}</pre>
<details><summary>Headers</summary>
<table>${mail.headers.map(({ name, value }) => `<tr><th>${escape(name)}</th><td>${escape(value)}</td></tr>`).join("\n")}</table>
<p><a href="/dev/mail/${mail.id}/raw" download>Source</a></p>
</details>`
  )

export const notFoundPage = () =>
  page(
    "No such mail",
    `<h1>No such mail</h1><p>It may have been removed to make room. <a href="/dev/mail">All mail</a></p>`
  )
