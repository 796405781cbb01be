import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { AccountBook, CreateAccountRequest, UpdateAccountRequest } from '../accounts/index.ts';
import {
  AccountBody,
  AccountParams,
  CreateAccountBody,
  UpdateAccountBody,
} from './account-schemas.ts';
import { ErrorBody } from './schemas.ts';

const tags = ['accounts'];
const security = [{ apiKey: [] }];
const failures = { '4xx': ErrorBody, '5xx': ErrorBody };

/** `/api/v1/accounts`; authentication is the caller's. */
export function accountRoutes(accounts: AccountBook): FastifyPluginCallbackTypebox {
  return (app, _options, done) => {
    const list = { 200: Type.Array(AccountBody), ...failures };
    app.get('/accounts', { schema: { tags, security, response: list } }, () => accounts.list());
    app.post(
      '/accounts',
      {
        schema: {
          tags,
          security,
          body: CreateAccountBody,
          response: { 201: AccountBody, ...failures },
        },
      },
      async (request, reply) => {
        const body: CreateAccountRequest = request.body;
        const account = await accounts.create(body);
        const location = `/api/v1/accounts/${encodeURIComponent(account.username)}`;
        await reply.code(201).header('location', location).send(account);
      },
    );
    const one = { tags, security, params: AccountParams };
    const shown = { 200: AccountBody, ...failures };
    app.get('/accounts/:username', { schema: { ...one, response: shown } }, (request) =>
      accounts.show(request.params.username),
    );
    app.patch(
      '/accounts/:username',
      { schema: { ...one, body: UpdateAccountBody, response: shown } },
      (request) => {
        const change: UpdateAccountRequest = request.body;

        return accounts.update(request.params.username, change);
      },
    );
    app.delete(
      '/accounts/:username',
      { schema: { ...one, response: { 204: Type.Null(), ...failures } } },
      async (request, reply) => {
        await accounts.remove(request.params.username);
        await reply.code(204).send(null);
      },
    );
    done();
  };
}
