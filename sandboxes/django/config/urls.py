"""Addresses of the project."""

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.routers import DefaultRouter
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from accounts.views import sign_up
from assistant.views import assistant_page
from board.api import TopicViewSet
from board.views import board_page, topic_page
from chat.api import DirectView, RoomViewSet
from chat.views import room_page, rooms_page

router = DefaultRouter()
router.include_root_view = False
router.register("rooms", RoomViewSet, basename="room")
router.register("topics", TopicViewSet, basename="topic")

urlpatterns = [
    path("", rooms_page, name="rooms"),
    path("rooms/<int:pk>/", room_page, name="room"),
    path("board/", board_page, name="board"),
    path("board/<int:pk>/", topic_page, name="topic"),
    path("assistant/", assistant_page, name="assistant"),
    path("accounts/sign-up/", sign_up, name="sign-up"),
    path("accounts/", include("django.contrib.auth.urls")),
    path("admin/", admin.site.urls),
    # Browsers ask for it where a page names no icon.
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("pages/icon.svg"))),
    path("api/token/", TokenObtainPairView.as_view(), name="token"),
    path("api/token/refresh/", TokenRefreshView.as_view(), name="token-refresh"),
    path("api/direct/", DirectView.as_view(), name="direct"),
    path("api/", include(router.urls)),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="api-docs"),
    path("asyncapi/", include("chanx.channels.urls")),
]
