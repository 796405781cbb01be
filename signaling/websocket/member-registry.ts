import type { Member } from './member.ts';

/**
 * The browsers that are in rooms, by what lets a new socket go on as one of them: the resume token,
 * or, when the answer to the join was lost with its socket, the id of that join.
 */
export class MemberRegistry {
  readonly #byResumeToken = new Map<string, Member>();
  readonly #byJoin = new Map<string, Promise<Member>>();
  readonly #joinOf = new Map<Member, string>();

  get size(): number {
    return this.#byResumeToken.size;
  }

  findByResumeToken(token: string): Member | undefined {
    return this.#byResumeToken.get(token);
  }

  findByJoin(requestId: string): Promise<Member> | undefined {
    return this.#byJoin.get(requestId);
  }

  /** Remembers a join while it is going on; forgets it when it fails. */
  async admit(requestId: string, join: () => Promise<Member>): Promise<Member> {
    const pending = join();
    this.#byJoin.set(requestId, pending);
    try {
      const member = await pending;
      if (member.isOver) {
        this.#byJoin.delete(requestId);
      } else {
        this.#byResumeToken.set(member.resumeToken, member);
        this.#joinOf.set(member, requestId);
      }

      return member;
    } catch (error) {
      this.#byJoin.delete(requestId);
      throw error;
    }
  }

  remove(member: Member): void {
    this.#byResumeToken.delete(member.resumeToken);
    const requestId = this.#joinOf.get(member);
    if (requestId !== undefined) this.#byJoin.delete(requestId);
    this.#joinOf.delete(member);
  }
}
