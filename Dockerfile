# The book on port 8000 and JupyterLab on port 8888:
#
#   docker build --build-arg TORCH_INDEX=ADDRESS -t dpgcourse .
#   docker run --rm -p 8000:8000 -p 8888:8888 dpgcourse
#
# TORCH_INDEX is the package index that has torch without CUDA; see README.md. Without it the
# image has the default build of torch, which is several gigabytes larger.

# What the targets of make need. .devcontainer/ stops here.
FROM python:3.11-slim-bookworm AS tools
RUN apt-get update \
 && apt-get install --yes --no-install-recommends git make \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 1000 reader \
 && install --directory --owner=reader --group=reader /course
USER reader
WORKDIR /course

FROM tools
ARG TORCH_INDEX=
ARG BOOK_REPOSITORY=
ENV PIP_NO_CACHE_DIR=1
COPY --chown=reader:reader . .
RUN make book TORCH_INDEX="$TORCH_INDEX"
EXPOSE 8000 8888
CMD ["sh", "-c", "make serve SERVE_OPTIONS='--host 0.0.0.0' & exec make lab LAB_OPTIONS='--no-browser --ip=0.0.0.0'"]
