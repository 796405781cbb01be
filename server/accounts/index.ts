export { AccountBook } from './account-book.ts';
export type {
  AccountBookOptions,
  AccountView,
  CreateAccountRequest,
  RegistrationView,
  UpdateAccountRequest,
} from './account-book.ts';
export { SecretBox } from './secret-box.ts';
