# syntax=docker/dockerfile:1

# --- everything that is built: worker, web app, server ---
FROM node:24-bookworm-slim AS build
WORKDIR /app
ENV XDG_CACHE_HOME=/opt/cache
# The dear part first: it changes only with mediasoup and with the recipe.
COPY package.json package-lock.json .npmrc ./
COPY scripts/build.mjs ./scripts/
COPY scripts/setup ./scripts/setup
COPY scripts/worker ./scripts/worker
RUN node scripts/build.mjs --worker
COPY . .
RUN node scripts/build.mjs

# --- the packages that the running server needs, without the tools ---
FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

# --- what runs ---
FROM node:24-bookworm-slim
# redis-server is for running without REDIS_URL; libuv to libsrtp2 are what a worker built from source is linked with;
# the asterisk-* packages hold what is spoken and played to phones.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends \
    asterisk-core-sounds-en-g722 asterisk-core-sounds-es-g722 asterisk-core-sounds-fr-g722 \
    asterisk-core-sounds-it-g722 asterisk-core-sounds-ru-g722 asterisk-moh-opsound-g722 \
    ca-certificates libabsl20220623 libopus0 libsrtp2-1 libssl3 libuv1 openssl redis-server \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o node -g node /data
WORKDIR /app
COPY --from=build /opt/cache/parley/worker-*/mediasoup-worker /usr/local/bin/mediasoup-worker
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
COPY scripts/healthcheck.mjs ./scripts/healthcheck.mjs
ENV NODE_ENV=production \
  DATA_DIR=/data \
  MEDIASOUP_WORKER_BIN=/usr/local/bin/mediasoup-worker
USER node
VOLUME /data
# Web, SIP (UDP, TCP, TLS), browsers' media of eight workers, phones' media.
EXPOSE 3000 5060/udp 5060/tcp 5061/tcp 44444-44451/udp 44444-44451/tcp 40000-49999/udp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "scripts/healthcheck.mjs"]
CMD ["node", "--enable-source-maps", "dist/server/main.js"]
