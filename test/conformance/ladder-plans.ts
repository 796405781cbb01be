/** Which end of each ladder the server is; or why it is none. */

export interface LadderPlan {
  readonly file: string;
  readonly as: string;
  /** What the ladder takes for granted, by end. */
  readonly before?: Readonly<Record<string, readonly ('call' | 'subscribe' | 'challenge')[]>>;
  /** What the server does of its own accord, because the API wants it. */
  readonly asked?: readonly ('INVITE' | 'BYE')[];
  /** Drawn, and not sent by us; the plan says why. */
  readonly leftOut?: readonly string[];
  /** Whom a REFER is about. */
  readonly refers?: string;
}

const MEMBERS = { Alice: ['call', 'subscribe'] } as const;
const TRANSFER = { asked: ['INVITE'], refers: 'Transfer' } as const;

export const PLANS: readonly LadderPlan[] = [
  { file: 'rfc4579-01-s5_1.txt', as: 'Focus' },
  { file: 'rfc4579-02-s5_2.txt', as: 'Focus', before: MEMBERS, asked: ['INVITE'] },
  { file: 'rfc4579-05-s5_5.txt', as: 'Focus', before: MEMBERS, refers: 'Carol' },
  {
    file: 'rfc4579-11-s5_11.txt',
    as: 'Focus',
    before: { ...MEMBERS, Carol: ['call', 'subscribe'] },
    refers: 'Carol',
    // Who is put out is out at once: the first NOTIFY tells the end of it, and there is no other.
    // A subscription of its own goes on: who is out may watch as anybody else may.
    leftOut: [
      'NOTIFY (Trying) F3',
      '200 OK F4',
      'NOTIFY Subscription-State:terminated F7',
      '200 OK F8',
      // The roster's NOTIFY is of another subscription and may come before F9; 5.2 and 5.5 have it.
      'NOTIFY F11',
      '200 OK F12',
    ],
  },
  { file: 'rfc4579-13-s5_13.txt', as: 'Focus' },
  { file: 'rfc3665-02-s2_2.txt', as: 'SIP Server', before: { Bob: ['challenge'] } },
  { file: 'rfc3665-03-s2_3.txt', as: 'SIP Server', before: { Bob: ['challenge'] } },
  { file: 'rfc3665-05-s2_5.txt', as: 'SIP Server' },
  { file: 'rfc5359-01-s2_1.txt', as: 'Alice', asked: ['INVITE', 'BYE'] },
  { file: 'rfc5359-11-s2_9.txt', as: 'Alice', asked: ['INVITE'] },
  { file: 'rfc5359-12-s2_9.txt', as: 'Alice', asked: ['INVITE'] },
  { file: 'rfc3725-01-s4_1.txt', as: 'A' },
  { file: 'rfc3725-01-s4_1.txt', as: 'B' },
  { file: 'rfc3725-04-s4_4.txt', as: 'B' },
  { file: 'rfc3725-06-s7.txt', as: 'A', before: { Controller: ['call'] }, asked: ['BYE'] },
  { file: 'rfc3725-06-s7.txt', as: 'B', before: { Controller: ['call'] } },
  { file: 'rfc3725-09-s7.txt', as: 'B' },
  { file: 'rfc3725-13-s10_2.txt', as: 'Called Party' },
  { file: 'rfc3725-13-s10_2.txt', as: 'Pre-Paid User' },
  { file: 'rfc3725-13-s10_2.txt', as: 'Media Server' },
  { file: 'rfc5589-02-s6_2.txt', as: 'Transferee', ...TRANSFER },
  { file: 'rfc5589-03-s6_3_1.txt', as: 'Transferee', ...TRANSFER },
  { file: 'rfc5589-31-s7_7.txt', as: 'Transferee', ...TRANSFER },
  { file: 'rfc5589-36-s9.txt', as: 'Bob' },
  { file: 'rfc5853-03-s3_5_3.txt', as: 'callee' },
];

/** By reason; each ladder is in one list or has a plan. */
export const NOT_RUN: Readonly<Record<string, readonly string[]>> = {
  'the end that could be ours is a proxy or a redirecting server, and we are neither': [
    'rfc3665-08-s3_3.txt',
    'rfc3665-10-s3_5.txt',
    'rfc3665-11-s3_6.txt',
    'rfc3665-14-s3_9.txt',
    'rfc3665-16-s3_11.txt',
    'rfc5359-07-s2_7.txt',
    'rfc5359-10-s2_9.txt',
    'rfc5359-14-s2_13.txt',
    'rfc5626-01-s9_2.txt',
    'rfc5853-01-s2.txt',
  ],
  'a part of a drawing: its arrows have no ends, or no labels, in the data': [
    'rfc5359-08-s2_7.txt',
    'rfc5359-15-s2_13.txt',
    'rfc5589-05-s6_3_2.txt',
    'rfc5589-09-s7_2.txt',
    'rfc5589-11-s7_3.txt',
    'rfc5589-12-s7_3.txt',
    'rfc5589-14-s7_4.txt',
    'rfc5589-15-s7_4.txt',
    'rfc5589-18-s7_5.txt',
    'rfc5589-21-s7_5.txt',
    'rfc5589-24-s7_6.txt',
    'rfc5589-25-s7_6.txt',
    'rfc5589-26-s7_6.txt',
    'rfc5589-29-s7_6.txt',
    'rfc5589-34-s8.txt',
    'rfc5589-38-s9.txt',
    'rfc6141-02-s3_1.txt',
    'rfc6141-03-s3_1.txt',
    'rfc6337-03-s4_1.txt',
    'rfc6337-04-s4_1.txt',
    'rfc6337-07-s4_1.txt',
    'rfc6337-08-s4_1.txt',
    'rfc6337-11-s4_2.txt',
    'rfc6337-12-s4_2.txt',
    'rfc6337-13-s4_3.txt',
    'rfc6337-17-s4_3.txt',
    'rfc7088-01-s2_3.txt',
    'rfc7088-06-s2_5.txt',
    'rfc7088-07-s2_5.txt',
    'rfc7088-10-s2_6.txt',
  ],
  'no ladder of messages': ['rfc4353-01-s3.txt', 'rfc4235-01-s3_7_1.txt', 'rfc3911-01-s1.txt'],
  'our factory is the focus itself and answers 200 where this one redirects': [
    'rfc4579-04-s5_4.txt',
  ],
  'a REFER that asks for a REFER is declined': ['rfc4579-07-s5_7.txt'],
  'a room has no user who transfers, screens or watches another phone': [
    'rfc5359-04-s2_4.txt',
    'rfc5359-06-s2_6.txt',
    'rfc5359-20-s2_17.txt',
    'rfc5589-08-s7_2.txt',
    'rfc5589-13-s7_4.txt',
    'rfc5589-17-s7_5.txt',
    'rfc5589-28-s7_6.txt',
  ],
  'preconditions (RFC 3312) are an extension that we refuse with 420': [
    'rfc3312-02-s13_1.txt',
    'rfc3312-05-s13_3.txt',
  ],
  'URI lists in an INVITE (RFC 5366) are an extension that we refuse': ['rfc5366-01-s6.txt'],
  'a room answers with one reliable provisional response at most': [
    'rfc6337-01-s3_1_1.txt',
    'rfc6337-02-s3_1_2.txt',
  ],
};
