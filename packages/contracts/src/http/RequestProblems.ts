/** Every endpoint may refuse a request that does not fit its schema, and a client that sends too many. */
import { HttpApiMiddleware } from "effect/http-api"
import { Internal, RequestInvalid, TooManyRequestsProblem } from "./Problems.ts"

/** The library's own `ProblemDetails`, with types that tell ours from anybody's 400. */
export class RequestProblems extends HttpApiMiddleware.Service<RequestProblems>()(
  "@onsale/contracts/http/RequestProblems",
  { error: [RequestInvalid, Internal, TooManyRequestsProblem] }
) {}
