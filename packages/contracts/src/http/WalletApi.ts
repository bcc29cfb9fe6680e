/** A ticket for a telephone, or for a printer: whoever has its id has the ticket. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { TicketId } from "../Ids.ts"
import { OverloadedProblem, TicketNotFound, TicketNotValid, WalletNotConfigured } from "./Problems.ts"

const params = { ticketId: TicketId }
const file = (contentType: string) =>
  HttpApiSchema.WithHeaders(Schema.Uint8Array.pipe(HttpApiSchema.asUint8Array({ contentType })), {
    "content-disposition": Schema.String,
    "cache-control": Schema.String
  })

export class WalletApi extends HttpApiGroup.make("wallet")
  .add(
    HttpApiEndpoint.get("pdf", "/tickets/:ticketId/ticket.pdf", {
      params,
      success: file("application/pdf"),
      error: [TicketNotFound, TicketNotValid, OverloadedProblem]
    }).annotate(OpenApi.Description, "The page of this ticket alone, to be passed on."),
    HttpApiEndpoint.get("apple", "/tickets/:ticketId/pass.pkpass", {
      params,
      success: file("application/vnd.apple.pkpass"),
      error: [TicketNotFound, TicketNotValid, WalletNotConfigured, OverloadedProblem]
    }).annotate(OpenApi.Description, "For Apple's wallet, where the installation has certificates."),
    HttpApiEndpoint.get("google", "/tickets/:ticketId/google-wallet", {
      params,
      success: Schema.Struct({ url: Schema.String }),
      error: [TicketNotFound, TicketNotValid, WalletNotConfigured, OverloadedProblem]
    }).annotate(
      OpenApi.Description,
      "The link that puts it into Google's wallet, where the installation has a key."
    )
  )
  .prefix("/api/v1") {}
