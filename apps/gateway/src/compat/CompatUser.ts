/**
 * Users of the older systems: UUIDs that their clients name, and that nobody proves. They are customers of a name of
 * their own, so that no limit of a customer with a token is used up by who only knows an id.
 */
import { CustomerId } from "@onsale/contracts/Ids"
import { Config, Effect, Schema } from "effect"
import type { ProvedCustomer } from "../CurrentCustomer.ts"

/** What their ids begin with, and no token's subject does. */
export const unprovedPrefix = "user:"

const isAddressable = (id: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,60}$/.test(id)

const MailDomain = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9-]*(\.[A-Za-z0-9-]+)+$/, {
    expected: "a domain such as users.example.org"
  })
)

/** `ONSALE_COMPAT_MAIL_DOMAIN`: users whose address nobody says get their mail at `<id>@` this domain. */
export const make = Effect.gen(function* () {
  const domain = yield* Config.schema(MailDomain, "ONSALE_COMPAT_MAIL_DOMAIN").pipe(
    Config.withDefault("users.onsale.example")
  )
  return {
    /** The user that a client has named. */
    named: (uuid: string): ProvedCustomer => ({
      id: CustomerId.make(`${unprovedPrefix}${uuid.toLowerCase()}`),
      email: `${uuid.toLowerCase()}@${domain}`,
      name: null
    }),
    /** Where the tickets go. */
    buyer: ({ email, id, name }: ProvedCustomer) => ({
      name: name ?? id,
      email: email ?? `${isAddressable(id) ? id : Buffer.from(id).toString("hex").slice(0, 60)}@${domain}`
    })
  }
})
