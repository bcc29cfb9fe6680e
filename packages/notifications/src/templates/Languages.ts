/** The words of each language. */
import type { Locale } from "@onsale/contracts/notifications/Locale"
import type { Words } from "./Words.ts"
import { Arabic } from "./words/Arabic.ts"
import { English } from "./words/English.ts"
import { French } from "./words/French.ts"
import { German } from "./words/German.ts"
import { Spanish } from "./words/Spanish.ts"

export const languages: { readonly [L in Locale]: Words } = {
  en: English,
  de: German,
  fr: French,
  es: Spanish,
  ar: Arabic
}
