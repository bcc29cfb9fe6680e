/**
 * What tickets call their order. Whoever knows an order's id may look it up and refund it, and tickets are
 * given to others: so they bear a name that tells the order apart, and leads nobody to it.
 */
import type { OrderId } from "@onsale/contracts/Ids"
import { createHash } from "node:crypto"
import { encode } from "./Base32.ts"

/** 40 bits of the id's SHA-256 in Base32: "ABCD-EFGH". */
export const make = (orderId: OrderId): string => {
  const text = encode(createHash("sha256").update(orderId).digest().subarray(0, 5))
  return `${text.slice(0, 4)}-${text.slice(4)}`
}
