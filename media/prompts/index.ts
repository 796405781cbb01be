export { PromptLibrary } from './prompt-library.ts';
export type { PromptLibraryOptions } from './prompt-library.ts';
export type { PromptItem, PromptName } from './prompt-names.ts';
export { ENTRY_TONE, EXIT_TONE, keyTones } from './tones.ts';
