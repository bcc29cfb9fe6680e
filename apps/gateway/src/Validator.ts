/** Conditional requests (RFC 9110 §13). */

/** True where the client has this version already. */
export const matches = (headers: { readonly [name: string]: string | undefined }, etag: string): boolean =>
  headers["if-none-match"]
    ?.split(",")
    .some((one) => one.trim() === "*" || one.trim().replace(/^W\//, "") === etag) ?? false
