import { suite } from "@onsale/testing/PaymentProviderSuite"
import { layerMollie } from "./MollieServer.ts"
import { layerSandbox } from "./SandboxServer.ts"
import { layerStripe } from "./StripeServer.ts"

suite("the sandbox", layerSandbox)
suite("Stripe", layerStripe)
suite("Mollie", layerMollie)
