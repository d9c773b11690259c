# syntax=docker/dockerfile:1
# Ponte in a container: everything it keeps is in the volume /data.
#   docker build -t ponte . && docker run -p 127.0.0.1:8080:8080 -v ponte:/data ponte

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY . .
# Nothing of it needs a compiler, or a script of its own.
RUN npm ci --ignore-scripts --no-audit --no-fund && npm run -s build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
# ffmpeg makes voice notes, and previews of films.
RUN apt-get update && apt-get install -y --no-install-recommends ffmpeg && rm -rf /var/lib/apt/lists/* \
  && mkdir /data && chown node:node /data \
  && printf '#!/bin/sh\nexec node /app/packages/gateway/main.js "$@"\n' > /usr/local/bin/ponte && chmod 755 /usr/local/bin/ponte
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/packages ./packages
COPY --from=build /app/scripts/start-check.mjs ./scripts/
RUN mkdir -p node_modules/.cache && chown node:node node_modules/.cache
USER node
# It starts once: the compile cache is kept in the image, whose files cannot be written later.
RUN node scripts/start-check.mjs node packages/gateway/main.js start
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 DATA_DIR=/data
VOLUME /data
EXPOSE 8080
# Ready: it answers, and its database does.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "packages/gateway/main.js", "start"]
