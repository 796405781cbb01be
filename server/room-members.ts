import type { LegId, ParticipantId, ProducerId } from '../base/index.ts';
import type { ProducerInfo } from '../media/index.ts';
import type { Participant } from './participant.ts';
import { producerView } from './participant-streams.ts';
import type { ProducerView, RoomEvent } from './ports.ts';

/** Everybody with a seat, in the order in which they came: those who are joining and those who are in. */
export class RoomMembers {
  readonly #seated = new Map<ParticipantId, Participant>();
  readonly #legs = new Map<LegId, Participant>();
  /** Those whom the others have been told of. */
  readonly #announced = new WeakSet<Participant>();

  readonly #observers = new Set<(event: RoomEvent) => void>();

  get size(): number {
    return this.#seated.size;
  }

  get hostPresent(): boolean {
    return this.seated().some((member) => member.role === 'host');
  }

  seated(): Participant[] {
    return [...this.#seated.values()];
  }

  /** Who waits for a host. */
  waiting(): Participant[] {
    return this.seated().filter((member) => member.state === 'lobby');
  }

  joined(): Participant[] {
    return this.seated().filter((member) => member.state === 'joined');
  }

  find(id: ParticipantId): Participant | undefined {
    const member = this.#seated.get(id);

    return member?.state === 'joined' ? member : undefined;
  }

  /** Of those who are in, in the order in which they came. */
  joinedLegs(): { legId: LegId; member: Participant }[] {
    const legs = [...this.#legs].map(([legId, member]) => ({ legId, member }));

    return this.joined().flatMap((joined) => legs.find(({ member }) => member === joined) ?? []);
  }

  producers(except?: ParticipantId): ProducerView[] {
    return this.joined()
      .filter((member) => member.id !== except)
      .flatMap((member) => member.producers());
  }

  ofLeg(legId: LegId): Participant | undefined {
    return this.#legs.get(legId);
  }

  legOf(id: ParticipantId): LegId | undefined {
    for (const [legId, owner] of this.#legs) if (owner.id === id) return legId;

    return undefined;
  }

  add(participant: Participant): void {
    this.#seated.set(participant.id, participant);
  }

  attachLeg(legId: LegId, participant: Participant): void {
    this.#legs.set(legId, participant);
  }

  /** From now on its end must be told too. */
  announce(participant: Participant): void {
    this.#announced.add(participant);
  }

  /** True when the others knew of it. */
  remove(participant: Participant): boolean {
    this.#seated.delete(participant.id);
    for (const [legId, owner] of this.#legs) if (owner === participant) this.#legs.delete(legId);

    return this.#announced.delete(participant);
  }

  broadcast(event: RoomEvent): void {
    for (const member of this.joined()) member.notify(event);
    this.#tellObservers(event);
  }

  tellOthers(about: Participant, event: RoomEvent): void {
    for (const member of this.joined()) if (member !== about) member.notify(event);
    this.#tellObservers(event);
  }

  tellHosts(event: RoomEvent): void {
    for (const member of this.joined()) if (member.role === 'host') member.notify(event);
  }

  /** All that any member is told; ends with the function returned. */
  observe(observer: (event: RoomEvent) => void): () => void {
    this.#observers.add(observer);

    return () => this.#observers.delete(observer);
  }

  #tellObservers(event: RoomEvent): void {
    for (const observer of [...this.#observers]) observer(event);
  }

  tellStream(
    type: 'producer-added' | 'producer-updated',
    owner: Participant,
    info: ProducerInfo,
  ): void {
    if (owner.state !== 'joined') return;
    this.tellOthers(owner, { type, producer: producerView(owner.id, info) });
  }

  /** Of who was never announced the others know no stream. */
  tellStreamEnd(participant: Participant, producerId: ProducerId): void {
    if (!this.#announced.has(participant)) return;
    const event = { type: 'producer-removed', producerId, participantId: participant.id } as const;
    this.tellOthers(participant, event);
  }
}
