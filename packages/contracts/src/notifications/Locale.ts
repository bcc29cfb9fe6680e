/** The languages that our messages are written in. */
import { Schema } from "effect"

export const Locale = Schema.Literals(["en", "de", "fr", "es", "ar"])
export type Locale = typeof Locale.Type
