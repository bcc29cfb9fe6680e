/** Phone numbers as people give them, checked by the numbering plans of all countries. */
import { PhoneNumber } from "@onsale/contracts/notifications/Preferences"
import { parsePhoneNumberFromString } from "libphonenumber-js/max"
import { Schema } from "effect"

const isPhoneNumber = Schema.is(PhoneNumber)

/** In E.164, or null where no phone can have it. The country has to be in it. */
export const normalised = (text: string): string | null => {
  const parsed = parsePhoneNumberFromString(text)
  return parsed?.isValid() === true && isPhoneNumber(parsed.number) ? parsed.number : null
}
