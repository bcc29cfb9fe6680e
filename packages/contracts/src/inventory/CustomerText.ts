/**
 * The text that is hashed into the keys by which an inventory knows customers and vouchers: the same for all
 * ways to write the same thing.
 */
import type { CustomerId } from "../Ids.ts"

/**
 * An e-mail address as limits count it: letters in lower case, and without what follows a plus sign in the
 * part before the at sign, which most mail servers deliver to the same person.
 */
export const customerText = (email: string): string => {
  const text = email.trim().normalize("NFKC").toLowerCase()
  const at = text.lastIndexOf("@")
  const plus = text.indexOf("+")
  return plus > 0 && plus < at ? text.slice(0, plus) + text.slice(at) : text
}

/** A customer whom a token has named: no e-mail address is written so, as none has a colon. */
export const customerIdText = (id: CustomerId): string => `customer:${id}`

/** A voucher's code: people write it in small letters, with spaces around it. */
export const voucherText = (code: string): string => code.trim().normalize("NFKC").toUpperCase()
