/** Registrations (RFC 3261 10.3, RFC 3327, RFC 5626). */
export { routeOfBinding } from './binding-route.ts';
export type { BindingRoute } from './binding-route.ts';
export { applyRegister, DEFAULT_REGISTER_LIMITS } from './register-rules.ts';
export type { RegisterContext, RegisterLimits, RegisterOutcome } from './register-rules.ts';
export { PROCESS_ID, Registrar } from './registrar.ts';
export type { RegistrarOptions, RegistrarStore } from './registrar.ts';
