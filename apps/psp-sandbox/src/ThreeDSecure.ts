/** The page on which a buyer approves or declines a `tok_3ds` payment, in plain HTML without a script. */
import type { Payment } from "./LedgerState.ts"

/** No script, nothing from elsewhere; after the form the browser may go on to the merchant's own page only. */
export const contentSecurityPolicy = (payment: Payment): string => {
  const back =
    payment.returnUrl === undefined || !URL.canParse(payment.returnUrl)
      ? ""
      : new URL(payment.returnUrl).origin
  return `default-src 'none'; style-src 'unsafe-inline'; form-action 'self' ${back}; frame-ancestors *`
}

/** The question, or what became of the payment when it no longer waits for the buyer. */
export const page = (payment: Payment): string =>
  payment.status === "requires_action" ? question(payment) : outcome(payment)

const question = (payment: Payment): string =>
  layout(
    "Approve this payment?",
    `<p>Your bank asks you to approve <strong>${amount(payment)}</strong> for ${escape(payment.reference)}.</p>
    <form method="post" action="/3ds/${encodeURIComponent(payment.id)}">
      <button name="approve" value="true">Approve</button>
      <button name="approve" value="false">Decline</button>
    </form>`
  )

const outcome = (payment: Payment): string =>
  layout(
    payment.status === "failed" ? "Payment declined" : "Payment approved",
    `<p>The payment of ${amount(payment)} is ${escape(payment.status)}. You can close this page.</p>`
  )

const amount = (payment: Payment): string => {
  const format = new Intl.NumberFormat("en", { style: "currency", currency: payment.currency })
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2
  return escape(format.format(payment.amount / 10 ** digits))
}

const layout = (title: string, body: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${title}</title>
    <style>
      body { font: 18px/1.5 system-ui, sans-serif; max-width: 32rem; margin: 4rem auto; padding: 0 1rem; }
      button { font: inherit; padding: 0.6rem 1.4rem; margin-right: 0.6rem; }
    </style>
  </head>
  <body>
    <h1>${title}</h1>
    <p>This is a sandbox: no money moves.</p>
    ${body}
  </body>
</html>
`

const escape = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
