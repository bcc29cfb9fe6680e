/** Search. */
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { EventSearch, EventSearchPage } from "../catalog/EventSearch.ts"
import { OverloadedProblem } from "./Problems.ts"

export class SearchApi extends HttpApiGroup.make("search")
  .add(
    HttpApiEndpoint.get("events", "/search/events", {
      query: EventSearch,
      success: EventSearchPage,
      error: OverloadedProblem
    })
  )
  .prefix("/api/v1") {}
