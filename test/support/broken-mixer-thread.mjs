/** Stands in for a mixer thread that cannot start. */
throw new Error('nothing works here');
