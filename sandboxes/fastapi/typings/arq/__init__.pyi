# What the sandbox uses of arq, which is not in the environment that is type-checked: it asks for redis < 6.
from arq.connections import ArqRedis as ArqRedis
from arq.connections import RedisSettings as RedisSettings
from arq.connections import create_pool as create_pool
from arq.worker import Worker as Worker
