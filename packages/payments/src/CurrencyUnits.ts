/**
 * What one unit of an amount is. Ours are the minor units of ISO 4217; providers have units of their own, and
 * an amount that is a hundred times too large is as bad as one that is charged a hundred times.
 */

/** Currencies without minor units in ISO 4217. */
const zeroDecimal = new Set("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(" "))

/** Currencies of a thousand minor units. */
const threeDecimal = new Set("BHD IQD JOD KWD LYD OMR TND".split(" "))

/** The decimals of a currency in ISO 4217: 0, 2 or 3. */
export const decimals = (currency: string): number =>
  zeroDecimal.has(currency) ? 0 : threeDecimal.has(currency) ? 3 : 2

// --- decimal text, as Mollie has it ---------------------------------------------------------------

/** `1050` of EUR is `"10.50"`, of JPY `"1050"`. */
export const toDecimal = (amount: number, currency: string): string => {
  const places = decimals(currency)
  if (places === 0) return `${amount}`
  const digits = `${amount}`.padStart(places + 1, "0")
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`
}

const decimalPattern = /^([0-9]{1,12})(?:\.([0-9]{1,3}))?$/

/** Null for a text that is no amount of the currency. */
export const fromDecimal = (text: string, currency: string): number | null => {
  const parts = decimalPattern.exec(text)
  if (parts === null) return null
  const places = decimals(currency)
  const fraction = (parts[2] ?? "").padEnd(places, "0")
  // More digits than the currency has would have to be rounded, and money is not.
  if (fraction.length > places) return null
  return Number(`${parts[1]}${fraction}`)
}

// --- Stripe's smallest units ----------------------------------------------------------------------

/** Without decimals in ISO 4217, and yet in hundredths at Stripe, which have to be 00. */
const hundredths = new Set(["ISK", "UGX"])

/** With decimals in ISO 4217, and at Stripe without. */
const wholes = new Set(["MGA"])

/** The amount in Stripe's units; null where Stripe cannot charge just that. */
export const toStripe = (amount: number, currency: string): number | null => {
  if (hundredths.has(currency)) return amount * 100
  if (wholes.has(currency)) return amount % 100 === 0 ? amount / 100 : null
  // The last of three decimals has to be 0.
  return threeDecimal.has(currency) && amount % 10 !== 0 ? null : amount
}

/** The way back; what is not a whole number of our units stays a fraction, which belongs to no payment of ours. */
export const fromStripe = (amount: number, currency: string): number =>
  hundredths.has(currency) ? amount / 100 : wholes.has(currency) ? amount * 100 : amount
