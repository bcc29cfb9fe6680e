/** Who asks: the customer whom a token has named, of the request that is being answered. */
import type { CustomerId } from "@onsale/contracts/Ids"
import { customerIdText, customerText } from "@onsale/contracts/inventory/CustomerText"
import { keyOf } from "@onsale/platform/Digest"
import { Context } from "effect"

/** A customer who has proved who it is. */
export interface ProvedCustomer {
  readonly id: CustomerId
  /** As the issuer of the token says; null where it says nothing. */
  readonly email: string | null
  readonly name: string | null
}

/** Null for who is anonymous. */
export const CurrentCustomer = Context.Reference<ProvedCustomer | null>("@onsale/gateway/CurrentCustomer", {
  defaultValue: () => null
})

/**
 * Whom limits count a hold for: the customer of the token, whatever address is named beside it, else the address;
 * undefined where there is neither.
 */
export const limitKey = (
  proved: ProvedCustomer | null,
  named: { readonly email: string } | undefined
): string | undefined =>
  proved !== null
    ? keyOf(customerIdText(proved.id))
    : named === undefined
      ? undefined
      : keyOf(customerText(named.email))
